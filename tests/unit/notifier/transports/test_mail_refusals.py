"""What the refusals of mail servers and of Amazon SES mean."""

import pytest

from services.notifier.failures import LaterError, NeverError
from services.notifier.transports.ses_errors import ses_error
from services.notifier.transports.smtp_replies import Stage, refusal

WAIT, GONE, REFUSED = "mail_refused_for_now", "address_refused", "mail_refused"


@pytest.mark.parametrize(
    ("stage", "code", "text", "meaning"),
    [
        ("MAIL", 421, "4.7.0 Too much at once", WAIT),
        ("MAIL", 450, "slow down", WAIT),
        ("MAIL", 530, "5.7.0 Authentication required", WAIT),
        ("MAIL", 535, "5.7.8 credentials", WAIT),
        ("MAIL", 550, "5.7.1 Sender not allowed", REFUSED),
        ("MAIL", 550, "no", REFUSED),
        ("MAIL", 552, "5.3.4 Too big", REFUSED),
        ("MAIL", 550, "5.1.1 who are you", REFUSED),
        ("RCPT", 450, "4.2.1 greylisted", WAIT),
        ("RCPT", 550, "No such user", GONE),
        ("RCPT", 551, "User not local", GONE),
        ("RCPT", 553, "5.1.3 Bad address", GONE),
        ("RCPT", 501, "5.1.3 Bad address", GONE),
        ("RCPT", 501, "Syntax", REFUSED),
        ("RCPT", 550, "5.1.1 <a@b>: Recipient unknown", GONE),
        ("RCPT", 550, "5.0.0 user unknown", GONE),
        ("RCPT", 550, "5.1.10 RESOLVER.ADR.RecipientNotFound", GONE),
        ("RCPT", 556, "5.1.10 Null MX", GONE),
        ("RCPT", 550, "5.2.1 Mailbox disabled", GONE),
        ("RCPT", 550, "5.4.1 Recipient address rejected: Access denied", GONE),
        ("RCPT", 550, "5.1.8 Sender's domain does not exist", REFUSED),
        ("RCPT", 550, "5.7.1 Relaying denied", REFUSED),
        ("RCPT", 550, "5.7.606 Access denied, banned sending IP", REFUSED),
        ("RCPT", 554, "5.7.1 listed", REFUSED),
        ("RCPT", 554, "Transaction failed", REFUSED),
        ("RCPT", 552, "5.2.2 Over quota", WAIT),
        ("RCPT", 550, "5.2.2 Over quota", WAIT),
        ("RCPT", 552, "Over quota", WAIT),
        ("RCPT", 503, "5.5.1 Bad sequence", REFUSED),
        ("RCPT", 530, "5.7.0 Must issue a STARTTLS command first", WAIT),
        ("DATA", 451, "4.3.0 queue full", WAIT),
        ("DATA", 552, "5.2.2 Over quota", WAIT),
        ("DATA", 552, "Too big", REFUSED),
        ("DATA", 550, "5.1.1 unknown", GONE),
        ("DATA", 550, "unknown", REFUSED),
        ("DATA", 554, "5.6.0 content", REFUSED),
        ("DATA", 250, "", WAIT),
    ],
)
def test_answers_of_mail_servers(stage: Stage, code: int, text: str, meaning: str) -> None:
    error = refusal(stage, code, text)
    assert error.code == meaning
    assert isinstance(error, LaterError if meaning == WAIT else NeverError)
    assert getattr(error, "target_is_bad", False) is (meaning == GONE)
    assert text[:200] in str(error)


def test_what_a_server_says_is_shown_on_one_line() -> None:
    assert str(refusal("DATA", 554, "a\nb\x00\u202ec" + "d" * 900)).count("\n") == 0
    assert len(str(refusal("DATA", 554, "d" * 9_000))) < 400


@pytest.mark.parametrize(
    ("code", "message", "status", "meaning"),
    [
        ("TooManyRequestsException", "Too many requests", 429, WAIT),
        ("ThrottlingException", "Maximum sending rate exceeded.", 400, WAIT),
        ("LimitExceededException", "Daily message quota exceeded.", 400, WAIT),
        ("InternalFailure", "", 500, WAIT),
        ("502", "Bad Gateway", 502, WAIT),
        ("AccountSuspendedException", "", 400, WAIT),
        ("SendingPausedException", "", 400, WAIT),
        ("MailFromDomainNotVerifiedException", "", 400, WAIT),
        ("NotFoundException", "Configuration set <x> does not exist.", 404, WAIT),
        ("AccessDeniedException", "not authorized to perform ses:SendEmail", 403, WAIT),
        ("ExpiredTokenException", "", 403, WAIT),
        ("MessageRejected", "Email address is not verified. The following identities failed: a@b", 400, WAIT),
        ("MessageRejected", "Transaction failed: File uses unsupported extension", 400, REFUSED),
        ("BadRequestException", "Illegal address", 400, GONE),
        ("BadRequestException", "Missing final '@domain'", 400, GONE),
        ("BadRequestException", "Local address contains control or whitespace", 400, GONE),
        ("BadRequestException", "Transaction failed: Expected disposition, got null", 400, REFUSED),
    ],
)
def test_errors_of_amazon_ses(code: str, message: str, status: int, meaning: str) -> None:
    error = ses_error(code, message, status, {})
    assert error.code == meaning
    assert getattr(error, "target_is_bad", False) is (meaning == GONE)


def test_amazon_ses_may_say_how_long_to_wait() -> None:
    for told, seconds in (("7", 7.0), ("Fri, 27 Nov 2026 14:03:00 GMT", None), ("", None)):
        error = ses_error("ThrottlingException", "", 429, {"retry-after": told})
        assert isinstance(error, LaterError)
        assert error.after_seconds == seconds

"""What an error of Amazon SES means (botocore 1.44, `sesv2`, operation SendEmail)."""

from typing import Any

from services.notifier.failures import LaterError, NeverError
from services.notifier.mail.cleaning import one_line

SAID_CHARACTERS = 300
SERVER_FAULT = 500
TOO_MANY = 429
BUSY = frozenset({"TooManyRequestsException", "LimitExceededException", "RequestLimitExceeded", "RequestTimeout"})
BUSY_PART = "Throttl"
"""`Throttling`, `ThrottlingException`, `ThrottledException`."""
REFUSED = frozenset({"MessageRejected", "BadRequestException", "ValidationException", "InvalidParameterValue"})
NOT_VERIFIED = "not verified"
"""Of a sender, or in the sandbox of a recipient: both are the operator's to mend."""
ABOUT_ADDRESSES = (
    "illegal address",
    "missing final",
    "local address",
    "domain contains",
    "domain starts",
    "domain ends",
)


def ses_error(code: str, message: str, status: int, headers: dict[str, Any]) -> LaterError | NeverError:
    """The error for an answer of SES. What is neither known as transient nor as the mail's own is the operator's:
    credentials, a sending domain, a paused account. All of it is mended some day, and no mail should be lost by it.
    """
    answer = one_line(f"{code}: {message}", SAID_CHARACTERS)
    if status >= SERVER_FAULT or status == TOO_MANY or code in BUSY or BUSY_PART in code:
        return LaterError("mail_refused_for_now", f"Amazon SES asks to wait: {answer}", _retry_after(headers))
    low = message.lower()
    if code in REFUSED and NOT_VERIFIED not in low:
        if any(words in low for words in ABOUT_ADDRESSES):
            return NeverError("address_refused", f"Amazon SES refuses this address: {answer}", target_is_bad=True)
        return NeverError("mail_refused", f"Amazon SES refuses this mail: {answer}")
    return LaterError(
        "mail_refused_for_now", f"Amazon SES cannot be used as it is set up. The operator has to check it: {answer}"
    )


def _retry_after(headers: dict[str, Any]) -> float | None:
    asked = str(headers.get("retry-after", "")).strip()
    return float(asked) if asked.isdigit() else None

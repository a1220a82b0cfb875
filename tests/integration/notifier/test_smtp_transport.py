"""E-mails by SMTP to a real server, which does wrong what it is told to."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from kit.notifier_settings import NotifierSettings
from services.notifier.content import Answer
from services.notifier.failures import LaterError, NeverError
from services.notifier.mail.message import Recipient, compose
from services.notifier.transports.smtp import SmtpTransport
from tests.fixtures.certificates import client_context
from tests.fixtures.mail_server import GOODBYE, LATER, MailServer, mail_server
from tests.mail_samples.contents import content

LOGIN = ("studio", "pässword")
DOTS = ".\n..\n.hidden\nend"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


class Handing:
    """Counts how often a mail was about to go, and what the server had by then."""

    def __init__(self, server: MailServer, error: Exception | None = None) -> None:
        self.server, self.error = server, error
        self.times = 0

    async def __call__(self) -> None:
        assert self.server.mails == []
        self.times += 1
        if self.error:
            raise self.error


def made(server: MailServer, **given: Any) -> SmtpTransport:
    trusted = given.pop("trusted", None)
    settings = NotifierSettings(smtp_host=server.host, smtp_port=server.port, **given)
    return SmtpTransport(settings, client_context(server.certificate) if trusted else None)


def mail(to: str = "ada@example.com") -> Any:
    return compose(
        content(answers=(Answer(text=DOTS),)),
        Recipient(to, "Ada"),
        NotifierSettings(sender="AI Studio <studio@example.com>"),
        message_id="<dlv_1@example.com>",
        link="https://studio.example.com/run",
        unsubscribe=None,
    )


async def test_a_mail_arrives_as_it_was_written(server: MailServer) -> None:
    handing = Handing(server)
    assert "2.0.0 OK" in await made(server).send(mail(), handing)
    (arrived,) = await server.until(1)
    assert (arrived.sender, arrived.recipients) == ("studio@example.com", ("ada@example.com",))
    assert arrived.message["Message-ID"] == "<dlv_1@example.com>"
    assert DOTS in arrived.text()
    assert handing.times == 1


async def test_a_mail_that_is_kept_back_at_the_last_moment_does_not_arrive(server: MailServer) -> None:
    handing = Handing(server, OSError("the claim is gone"))
    transport = made(server)
    with pytest.raises(OSError, match="the claim is gone"):
        await transport.send(mail(), handing)
    await transport.send(mail("bob@example.com"), Handing(server))
    assert [found.recipients for found in await server.until(1)] == [("bob@example.com",)]


@pytest.mark.parametrize(
    ("answer", "bad"),
    [
        ("550 5.1.1 No such mailbox", True),
        ("550 unknown user", True),
        ("553 no", True),
        ("550 5.7.1 we do not like you", False),
        ("554 5.7.1 spam", False),
    ],
)
async def test_refused_for_good_before_it_was_handed_over(server: MailServer, answer: str, bad: bool) -> None:
    server.refuse("gone@example.com", answer)
    handing = Handing(server)
    with pytest.raises(NeverError) as refused:
        await made(server).send(mail("gone@example.com"), handing)
    assert refused.value.target_is_bad is bad
    assert answer in str(refused.value)
    assert handing.times == 0


@pytest.mark.parametrize(
    ("stage", "answer"),
    [("MAIL", LATER), ("MAIL", GOODBYE), ("RCPT", LATER), ("RCPT", GOODBYE), ("RCPT", "552 5.2.2 over quota")],
)
async def test_refused_for_now_before_it_was_handed_over(server: MailServer, stage: Any, answer: str) -> None:
    server.refuse_at(stage, answer, times=1)
    handing = Handing(server)
    with pytest.raises(LaterError) as refused:
        await made(server).send(mail(), handing)
    assert refused.value.code == "mail_refused_for_now"
    assert handing.times == 0
    await made(server).send(mail(), handing)
    await server.until(1)


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        ("554 5.7.1 Message refused", NeverError, "mail_refused"),
        ("550 5.1.1 No such mailbox", NeverError, "address_refused"),
        (LATER, LaterError, "mail_refused_for_now"),
        (GOODBYE, LaterError, "mail_refused_for_now"),
    ],
)
async def test_refused_after_its_end(server: MailServer, answer: str, error: Any, code: str) -> None:
    server.refuse_at("DATA", answer)
    handing = Handing(server)
    with pytest.raises(error) as refused:
        await made(server).send(mail(), handing)
    assert refused.value.code == code
    assert handing.times == 1
    assert server.mails == []


async def test_a_server_that_is_away(server: MailServer) -> None:
    server.stop()
    handing = Handing(server)
    with pytest.raises(LaterError) as away:
        await made(server).send(mail(), handing)
    assert away.value.code == "mail_server_away"
    server.start()
    await made(server).send(mail(), handing)
    assert handing.times == 1


async def test_a_server_that_takes_no_mails_now(server: MailServer) -> None:
    server.refuse_at("CONNECT", "554 no service here", times=1)
    with pytest.raises(LaterError, match="554 no service here"):
        await made(server).send(mail(), Handing(server))


@pytest.mark.parametrize("kept", [True, False])
async def test_a_connection_that_is_cut_after_the_end_leaves_it_open(server: MailServer, kept: bool) -> None:
    server.cut(kept=kept)
    handing = Handing(server)
    with pytest.raises(LaterError) as away:
        await made(server).send(mail(), handing)
    assert away.value.code == "mail_server_away"
    assert (handing.times, len(server.mails)) == (1, int(kept))


@pytest.mark.parametrize(("stage", "times"), [("CONNECT", 0), ("MAIL", 0), ("RCPT", 0), ("DATA", 1)])
async def test_a_server_that_says_nothing_is_not_waited_for(server: MailServer, stage: Any, times: int) -> None:
    server.slow(stage, times=None)
    handing = Handing(server)
    with pytest.raises(LaterError) as away:
        await made(server, mail_step_seconds=0.2).send(mail(), handing)
    assert away.value.code == "mail_server_away"
    assert handing.times == times


async def test_who_stops_waiting_leaves_no_mail_behind(server: MailServer) -> None:
    waiting = asyncio.Event()

    async def handing() -> None:
        waiting.set()
        await asyncio.Event().wait()

    sending = asyncio.create_task(made(server).send(mail(), handing))
    await waiting.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await made(server).send(mail("bob@example.com"), Handing(server))
    assert [found.recipients for found in await server.until(1)] == [("bob@example.com",)]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_over_tls_with_a_sign_in(security: Any) -> None:
    user, password = LOGIN
    with mail_server(security=security, login=LOGIN) as server:
        given: dict[str, Any] = {"smtp_security": security, "smtp_user": user, "smtp_password": password}
        await made(server, trusted=True, **given).send(mail(), Handing(server))
        (arrived,) = server.mails
        assert (arrived.user, arrived.tls) == (user, True)
        for wrong in (
            {"trusted": True, **given, "smtp_password": "guessed"},
            {"trusted": True, "smtp_security": security},
            given,
        ):
            with pytest.raises(LaterError) as refused:
                await made(server, **wrong).send(mail(), handing_never)
            assert "guessed" not in str(refused.value)


async def handing_never() -> None:
    """Nothing goes as far as that."""
    raise AssertionError("handed over")


async def test_a_server_without_what_is_set_up_is_the_operators_to_mend(server: MailServer) -> None:
    for given in ({"smtp_security": "starttls"}, {"smtp_user": "studio", "smtp_password": "x"}):
        with pytest.raises(LaterError, match="operator"):
            await made(server, **given).send(mail(), handing_never)


async def test_an_address_beyond_ascii(server: MailServer) -> None:
    await made(server).send(mail("jörg@bücher.de"), Handing(server))
    (arrived,) = await server.until(1)
    assert arrived.recipients == ("jörg@xn--bcher-kva.de",)
    assert "To: Ada <jörg@xn--bcher-kva.de>\r\n".encode() in arrived.raw


async def test_starts_without_a_server(server: MailServer) -> None:
    server.stop()
    transport = made(server)
    await transport.start()
    assert str(server.port) in transport.where()
    await transport.stop()

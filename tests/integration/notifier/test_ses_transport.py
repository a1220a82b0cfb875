"""E-mails by Amazon SES: as moto plays it, and over real connections that go wrong."""

import email
import email.policy
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from kit.notifier_settings import NotifierSettings
from services.notifier.failures import LaterError, NeverError
from services.notifier.mail.message import Recipient
from services.notifier.transports.ses import SesTransport
from tests.fixtures.hook_server import HookServer, hook_server
from tests.unit.notifier.mail.composing import bodies, composed

REGION = "eu-central-1"
PATH = "/v2/email/outbound-emails"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def amazon() -> Iterator[Any]:
    with mock_aws():
        backend = ses_backends[DEFAULT_ACCOUNT_ID][REGION]
        backend.verify_email_identity("studio@example.com")
        yield backend


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HookServer]:
    with hook_server() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", running.url(""))
        yield running


class Handing:
    """Counts how often a mail was about to go."""

    times = 0

    async def __call__(self) -> None:
        self.times += 1


def made(**given: Any) -> SesTransport:
    return SesTransport(NotifierSettings(**{"ses_region": REGION, **given}))


async def test_a_mail_arrives_as_it_was_written(amazon: Any) -> None:
    transport, handing = made(), Handing()
    await transport.start()
    assert (await transport.send(composed(), handing)).startswith("SES ")
    await transport.send(composed(to=Recipient("bob@bücher.de", None)), handing)
    await transport.stop()
    sent, other = amazon.sent_messages
    assert (sent.source, sent.destinations[0]) == ("studio@example.com", "ada@example.com")
    assert other.destinations[0] == "bob@xn--bcher-kva.de"
    arrived = email.message_from_string(sent.raw_data, policy=email.policy.default)
    assert arrived["Subject"] == composed()["Subject"]
    assert bodies(arrived) == bodies(composed())  # type: ignore[arg-type]
    assert handing.times == 2
    assert REGION in transport.where()


async def test_a_sender_that_is_not_verified_is_the_operators_to_mend(amazon: Any) -> None:
    amazon.delete_identity("studio@example.com")
    with pytest.raises((LaterError, NeverError)) as refused:
        await made().send(composed(), Handing())
    assert "MessageRejected" in str(refused.value)
    amazon.verify_email_identity("studio@example.com")
    await made().send(composed(), Handing())


async def test_a_mail_that_is_kept_back_is_not_sent(amazon: Any) -> None:
    async def kept_back() -> None:
        raise KeyError("the claim is gone")

    with pytest.raises(KeyError):
        await made().send(composed(), kept_back)
    assert amazon.sent_messages == []


async def test_an_address_that_it_cannot_write_to(amazon: Any) -> None:
    handing = Handing()
    with pytest.raises(NeverError) as refused:
        await made().send(composed(to=Recipient("jörg@example.com", None)), handing)
    assert (refused.value.code, handing.times) == ("address_refused", 0)


async def test_a_region_or_credentials_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    for given in ({"ses_region": ""}, {}):
        with pytest.raises(LaterError, match="operator") as failed:
            await made(**given).send(composed(), Handing())
        assert failed.value.code == "mail_refused_for_now"


async def test_a_lost_answer_is_not_asked_for_again(server: HookServer) -> None:
    server.cut()
    handing = Handing()
    with pytest.raises(LaterError) as away:
        await made().send(composed(), handing)
    assert (away.value.code, handing.times) == ("mail_server_away", 1)
    assert [call.path for call in server.calls] == [PATH]


async def test_who_says_nothing_is_not_waited_for(server: HookServer) -> None:
    server.slow()
    with pytest.raises(LaterError) as away:
        await made(mail_step_seconds=0.3).send(composed(), Handing())
    assert away.value.code == "mail_server_away"
    assert len(server.calls) == 1


async def test_who_is_away(server: HookServer) -> None:
    server.stop()
    with pytest.raises(LaterError) as away:
        await made().send(composed(), Handing())
    assert away.value.code == "mail_server_away"


ANSWERS = (
    (429, "TooManyRequestsException", "Too many requests", LaterError),
    (503, "ServiceUnavailable", "Wait", LaterError),
    (400, "SendingPausedException", "Paused", LaterError),
    (400, "MailFromDomainNotVerifiedException", "Not yet", LaterError),
    (403, "InvalidClientTokenId", "The security token is invalid", LaterError),
    (400, "MessageRejected", "Email address is not verified.", LaterError),
    (400, "MessageRejected", "It has a virus.", NeverError),
    (400, "BadRequestException", "Illegal address", NeverError),
)


async def test_what_it_refuses(server: HookServer) -> None:
    transport = made()
    for status, code, message, error in ANSWERS:
        body = b'{"message": "%s"}' % message.encode()
        server.answer(status, headers={"x-amzn-ErrorType": code, "Retry-After": "7"}, body=body)
        with pytest.raises(error) as refused:
            await transport.send(composed(), Handing())
        assert f"{code}: {message}" in str(refused.value)
        assert getattr(refused.value, "after_seconds", None) == (7 if status in {429, 503} else None)
    assert len(server.calls) == len(ANSWERS)


async def test_the_configuration_set_of_the_settings(server: HookServer) -> None:
    server.answer(200, body=b'{"MessageId": "m1"}')
    assert await made(ses_configuration_set="mails").send(composed(), Handing()) == "SES m1"
    (call,) = server.calls
    told = call.json()
    assert told["ConfigurationSetName"] == "mails"
    assert told["Destination"] == {"ToAddresses": ["ada@example.com"]}

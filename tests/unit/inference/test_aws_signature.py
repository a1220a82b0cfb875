"""Requests to Bedrock, beside those that botocore's own client makes of the same call."""

import datetime
from typing import Any

import msgspec
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.session import Session

from services.inference.providers import bedrock_body
from services.inference.providers.aws_signature import AwsSigner
from services.inference.providers.base import ProviderCall, ProviderError
from tests.unit.inference.test_call_bodies import ALL, TURNS

MODEL = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-2-lite-v1:0"
CALL = ProviderCall(MODEL, (TURNS[0], *TURNS[2:4]), ALL)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "token"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ):
        monkeypatch.setenv(name, value)


def of_botocore() -> Any:
    """The request that the vendor's client would send."""
    client = Session().create_client(
        "bedrock-runtime", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1})
    )
    caught: list[Any] = []

    def catch(request: Any, **_: Any) -> AWSResponse:
        caught.append(request)
        raise EOFError

    client.meta.events.register("before-send.bedrock-runtime.ConverseStream", catch)
    with pytest.raises(EOFError):
        client.converse_stream(modelId=MODEL, **bedrock_body.body(CALL))
    return caught[0]


@pytest.mark.usefixtures("credentials")
async def test_a_request_is_signed_as_botocore_s_own_client_signs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime.datetime(2026, 11, 27, tzinfo=datetime.UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda remove_tzinfo=True: moment.replace(tzinfo=None))
    theirs = of_botocore()
    signer = AwsSigner("us-east-1")
    url = theirs.url
    assert url == await signer.endpoint() + bedrock_body.path_of(MODEL)
    ours = await signer.headers(url, theirs.body, {"Content-Type": "application/json"})
    for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
        sent = theirs.headers[name]
        assert ours[name] == (sent.decode() if isinstance(sent, bytes) else sent)
    assert msgspec.json.decode(theirs.body) == msgspec.json.decode(msgspec.json.encode(bedrock_body.body(CALL)))


async def test_who_has_no_credentials_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(ProviderError) as caught:
        await AwsSigner("us-east-1", "https://example.com").headers("https://example.com/", b"", {})
    assert (caught.value.code, caught.value.retryable) == ("provider_auth", False)


@pytest.mark.usefixtures("credentials")
async def test_a_key_of_bedrock_s_own_needs_no_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-key\n")
    signed = await AwsSigner("us-east-1", "https://example.com").headers("https://example.com/", b"", {"Accept": "x"})
    assert signed == {"Accept": "x", "Authorization": "Bearer bedrock-key"}

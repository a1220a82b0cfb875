"""One call of a webhook, against a real receiver."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp.abc import ResolveResult
from standardwebhooks import Webhook, WebhookVerificationError

from services.notifier.failures import LaterError, NeverError
from services.notifier.hooks.caller import HookCaller
from services.notifier.hooks.resolver import Resolver
from services.notifier.hooks.signing import new_secret
from tests.fixtures.hook_server import HookServer, hook_server
from tests.integration.notifier.hooks.calling import BODY, call, hook, running
from tests.integration.notifier.hooks.saying import saying


@pytest.fixture
async def caller() -> AsyncIterator[HookCaller]:
    async with running() as made:
        yield made


async def later(caller: HookCaller, url: str, *, now: datetime | None = None) -> LaterError:
    with pytest.raises(LaterError) as caught:
        await call(caller, hook(url), now=now)
    return caught.value


async def test_arrives_signed(caller: HookCaller, receiver: HookServer, path: str) -> None:
    of = hook(receiver.url(path))
    assert await call(caller, of) == 204
    (arrived,) = receiver.to(path)
    assert arrived.method == "POST"
    assert arrived.body == BODY
    assert arrived.headers["content-type"] == "application/json"
    assert arrived.headers["user-agent"] == "ai-studio"
    assert "cookie" not in arrived.headers
    assert Webhook(of.secret).verify(arrived.body, dict(arrived.headers))["type"] == "run.completed"
    with pytest.raises(WebhookVerificationError):
        Webhook(of.secret).verify(arrived.body + b" ", dict(arrived.headers))


async def test_is_signed_with_the_earlier_secret_as_well_for_a_time(
    caller: HookCaller, receiver: HookServer, path: str
) -> None:
    earlier = new_secret()
    until = datetime.now(UTC) + timedelta(hours=1)
    of = hook(receiver.url(path), earlier_secret=earlier, earlier_until=until)
    await call(caller, of)
    (arrived,) = receiver.to(path)
    for secret in (of.secret, earlier):
        Webhook(secret).verify(arrived.body, dict(arrived.headers))


async def test_every_attempt_has_the_same_id_and_a_time_of_its_own(
    caller: HookCaller, receiver: HookServer, path: str
) -> None:
    receiver.answer(500, path=path)
    now = datetime.now(UTC)
    with pytest.raises(LaterError):
        await call(caller, hook(receiver.url(path)), now=now - timedelta(seconds=100))
    await call(caller, hook(receiver.url(path)), now=now)
    first, second = receiver.to(path)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "msg_1"
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 100


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
async def test_a_receiver_may_be_mended(caller: HookCaller, receiver: HookServer, path: str, status: int) -> None:
    receiver.answer(status, path=path)
    assert (await later(caller, receiver.url(path))).code == "webhook_status"


async def test_one_that_is_gone_is_never_called_again(caller: HookCaller, receiver: HookServer, path: str) -> None:
    receiver.answer(410, path=path)
    with pytest.raises(NeverError) as caught:
        await call(caller, hook(receiver.url(path)))
    assert (caught.value.code, caught.value.target_is_bad) == ("webhook_gone", True)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(caller: HookCaller, receiver: HookServer, path: str, status: int) -> None:
    receiver.answer(status, headers={"Location": receiver.url(f"{path}/inside")}, path=path)
    assert (await later(caller, receiver.url(path))).code == "webhook_status"
    assert receiver.to(f"{path}/inside") == []


async def test_asks_to_wait(caller: HookCaller, receiver: HookServer, path: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    receiver.answer(429, headers={"retry-after": "7"}, path=path)
    receiver.answer(503, headers={"Retry-After": format_datetime(now + timedelta(minutes=2), usegmt=True)}, path=path)
    receiver.answer(429, headers={"Retry-After": "99999999"}, path=path)
    waits = [(await later(caller, receiver.url(path), now=now)).after_seconds for _ in range(3)]
    assert waits == [7, 120, 36_000]


async def test_a_huge_answer_is_not_read(caller: HookCaller) -> None:
    async with saying(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536, pause=0, times=1_000) as said:
        assert await call(caller, hook(said.url)) == 200
        await asyncio.wait_for(said.over.wait(), 10)
    assert said.drops < 200  # what lies in the buffers between us


async def test_an_answer_that_says_it_is_compressed_is_one_by_its_status(
    caller: HookCaller, receiver: HookServer, path: str
) -> None:
    receiver.answer(200, headers={"Content-Encoding": "gzip"}, body=b"not gzip at all", path=path)
    assert await call(caller, hook(receiver.url(path))) == 200


async def test_one_that_says_nothing_is_waited_for_no_longer_than_the_limit(receiver: HookServer, path: str) -> None:
    receiver.slow(path=path)
    async with running(send_seconds=0.2) as caller:
        error = await later(caller, receiver.url(path))
    assert error.code == "webhook_away"
    assert "0.2 seconds" in str(error)


async def test_a_connection_that_is_cut(caller: HookCaller, receiver: HookServer, path: str) -> None:
    receiver.cut(path=path)
    assert (await later(caller, receiver.url(path))).code == "webhook_away"
    assert len(receiver.to(path)) == 1  # and it is not sent again by itself


@pytest.mark.parametrize("end", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 204 OK\r\nContent-Length: 9\r\n\r\n"])
async def test_an_answer_without_an_end_is_one_by_its_status(
    caller: HookCaller, monkeypatch: pytest.MonkeyPatch, end: bytes
) -> None:
    monkeypatch.setattr("services.notifier.hooks.caller.ANSWER_SECONDS", 0.05)
    async with saying(end) as said:
        assert await call(caller, hook(said.url)) in (200, 204)


async def test_an_answer_that_drips_is_not_waited_for() -> None:
    async with running(send_seconds=0.3) as caller, saying(b"HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n") as said:
        assert (await later(caller, said.url)).code == "webhook_away"


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, b"\x15\x03\x01", b"HTTP/1.1 OK\r\n\r\n"],
)
async def test_an_answer_that_is_none(answer: bytes) -> None:
    async with running(send_seconds=1) as caller, saying(answer, times=0) as said:
        assert (await later(caller, said.url)).code == "webhook_away"


async def test_a_name_that_is_not_known() -> None:
    class Nobody(Resolver):
        async def resolve(self, *_: Any, **__: Any) -> list[ResolveResult]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with running(Nobody(1)) as caller:
        error = await later(caller, "https://nobody.example.com/")
    assert (error.code, "name is not known" in str(error)) == ("webhook_away", True)


async def test_the_system_s_resolver_knows_a_name(caller: HookCaller, receiver: HookServer, path: str) -> None:
    await call(caller, hook(receiver.url(path).replace("127.0.0.1", "localhost")))
    assert len(receiver.to(path)) == 1


async def test_nobody_listens(caller: HookCaller) -> None:
    with hook_server() as server:
        server.stop()
        error = await later(caller, server.url())
    assert error.code == "webhook_away"
    assert "nobody listens" in str(error)


async def test_cookies_are_not_kept(caller: HookCaller, receiver: HookServer, path: str) -> None:
    receiver.answer(200, headers={"Set-Cookie": "who=you; Path=/"}, path=path)
    for _ in range(2):
        await call(caller, hook(receiver.url(path).replace("127.0.0.1", "localhost")))  # addresses have no cookies
    assert len(receiver.to(path)) == 2
    assert all("cookie" not in arrived.headers for arrived in receiver.to(path))


async def test_proxies_of_the_environment_are_not_used(
    receiver: HookServer, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hook_server() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url("/"))
        async with running() as caller:
            await call(caller, hook(receiver.url(path)))
        assert proxy.calls == []
    assert len(receiver.to(path)) == 1


async def test_tls_needs_a_certificate_that_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    with hook_server(tls=True) as server:
        async with running() as caller:
            error = await later(caller, server.url())
        assert (error.code, "certificate" in str(error)) == ("webhook_away", True)
        assert server.calls == []
        monkeypatch.setitem(os.environ, "SSL_CERT_FILE", str(server.certificate))
        async with running() as caller:
            assert await call(caller, hook(server.url())) == 204
        assert len(server.calls) == 1

"""Whatever a URL or a name server says, no private address is connected to."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from services.notifier.failures import LaterError, NeverError
from services.notifier.hooks import guard
from tests.integration.notifier.hooks.calling import call, hook, running


class Rebinding(AbstractResolver):
    """A name server that says something else each time it is asked; in the end always the same."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self._answers, self.asked = list(answers), 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in answer
        ]

    async def close(self) -> None:
        pass


@dataclass
class Listening:
    """Counts connections, and cuts them."""

    port: int = 0
    connections: list[str] = field(default_factory=list)


@pytest.fixture
async def listening() -> AsyncIterator[Listening]:
    """Something that listens on all of 127.0.0.0/8."""
    found = Listening()

    async def met(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections.append(writer.get_extra_info("sockname")[0])
        writer.close()

    server = await asyncio.start_server(met, "0.0.0.0", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(server.close)
        yield found


async def forbidden(resolver: AbstractResolver, url: str) -> None:
    async with running(resolver, hooks_allow_private=False) as caller:
        with pytest.raises(NeverError) as caught:
            await call(caller, hook(url))
    assert (caught.value.code, caught.value.target_is_bad) == ("webhook_forbidden", False)


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("::1",),
        ("::ffff:127.0.0.1",),
        ("10.0.0.1", "169.254.169.254"),
        ("64:ff9b::7f00:1",),
        ("0.0.0.0",),
    ],
)
async def test_a_name_that_leads_inside(listening: Listening, addresses: tuple[str, ...]) -> None:
    await forbidden(Rebinding(addresses), f"https://inside.example.com:{listening.port}/")
    assert listening.connections == []


async def test_a_name_that_is_looked_up_again_for_every_call(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """127.0.0.1 stands for a public address, so that the first call connects."""
    monkeypatch.setattr(guard, "is_public", lambda address: address == "127.0.0.1")
    resolver = Rebinding(("127.0.0.1",), ("127.0.0.2",))
    of = hook(f"https://rebinding.example.com:{listening.port}/")
    async with running(resolver, hooks_allow_private=False) as caller:
        with pytest.raises(LaterError) as cut:
            await call(caller, of)
        assert (cut.value.code, listening.connections) == ("webhook_away", ["127.0.0.1"])
        with pytest.raises(NeverError) as caught:
            await call(caller, of)
    assert caught.value.code == "webhook_forbidden"
    assert (resolver.asked, listening.connections) == (2, ["127.0.0.1"])


async def test_among_several_addresses_only_the_public_one_is_called(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "is_public", lambda address: address == "127.0.0.1")
    resolver = Rebinding(("127.0.0.2", "127.0.0.1", "127.0.0.3"))
    async with running(resolver, hooks_allow_private=False) as caller:
        with pytest.raises(LaterError) as caught:  # it is public, and may be mended
            await call(caller, hook(f"https://mixed.example.com:{listening.port}/"))
    assert caught.value.code == "webhook_away"
    assert set(listening.connections) == {"127.0.0.1"}


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1", "localhost", "localhost."]
)
@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_a_url_that_was_allowed_when_it_was_saved(listening: Listening, scheme: str, host: str) -> None:
    resolver = Rebinding(("127.0.0.1",))
    await forbidden(resolver, f"{scheme}://{host}:{listening.port}/")
    assert (resolver.asked, listening.connections) == (0, [])


async def test_the_system_s_own_names_are_checked_too(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the resolver that is used in earnest; only the name is not sent out of this machine."""
    asked = socket.getaddrinfo
    monkeypatch.setattr(
        "services.notifier.hooks.resolver._look_up",
        lambda _, port, family: asked("localhost", port, family, socket.SOCK_STREAM),
    )
    async with running(hooks_allow_private=False) as caller:
        with pytest.raises(NeverError) as caught:
            await call(caller, hook(f"https://inside.example.com:{listening.port}/"))
    assert caught.value.code == "webhook_forbidden"
    assert listening.connections == []

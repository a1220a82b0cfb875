"""A request whose replica died with it is asked again, where that does no harm."""

from collections.abc import AsyncIterator

import pytest
from nats.aio.msg import Msg

from contracts.chat import DeleteConversation, GetRun, Run
from contracts.message import Owner, Reply, Request
from kit.bus import rpc
from kit.bus.connection import Bus
from kit.clock import utc_now
from kit.runtime.embedded_nats import EmbeddedNats
from tests.fixtures.bus import bus_to

OWNER = Owner(tenant="test", user="nobody")
RUN = Run(id="chat_1", kind="chat", status="completed", model="m", created_at=utc_now())


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "AGAIN_SECONDS", 0.2)


@pytest.fixture
async def asked(own_nats: EmbeddedNats) -> AsyncIterator[tuple[Bus, list[bytes]]]:
    """A bus on which somebody takes the first request and is never heard of again."""
    heard: list[bytes] = []
    async with bus_to(own_nats.url) as bus, bus_to(own_nats.url) as server:

        async def take(message: Msg) -> None:
            heard.append(message.data)
            if len(heard) > 1:
                await message.respond(Reply(result=RUN).model_dump_json().encode())

        for request in (GetRun, DeleteConversation):
            await server.client.subscribe(request.rpc_subject(), cb=take)
        await server.client.flush()
        yield bus, heard


async def test_a_question_is_asked_again(asked: tuple[Bus, list[bytes]]) -> None:
    bus, heard = asked
    assert await rpc.call(bus, GetRun(owner=OWNER, run_id="chat_1"), timeout=30) == RUN
    assert len(heard) == 2
    assert heard[0] == heard[1], "the very same: whoever did it already says what came of it"


async def test_what_may_not_be_done_twice_is_asked_once(asked: tuple[Bus, list[bytes]]) -> None:
    bus, heard = asked
    request: Request[object] = DeleteConversation(owner=OWNER, conversation_id="conv_1")
    with pytest.raises(rpc.Unavailable):
        await rpc.call(bus, request, timeout=1)
    assert len(heard) == 1

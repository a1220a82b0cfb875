"""A request that no message of the bus can carry arrives whole, and is kept no longer than it takes."""

from collections.abc import AsyncIterator

import pytest

from contracts.chat import Deleted, RunStarted
from contracts.completions import DeleteCompletion, StartCompletion
from contracts.content import Turn
from contracts.message import Owner
from kit.bus.blobs import BUCKET, Blobs
from kit.bus.broker import make_broker
from kit.bus.connection import Bus
from kit.bus.rpc import MAX_REQUEST_BYTES, Unavailable, call, on_request
from kit.refusal import Refused
from kit.runtime.embedded_nats import EmbeddedNats
from kit.settings import BusSettings
from tests.fixtures.bus import bus_to, subjects_of
from tests.fixtures.polling import until

OWNER = Owner(tenant="t", user="u")


@pytest.fixture
async def bus(own_nats: EmbeddedNats) -> AsyncIterator[Bus]:
    async with bus_to(own_nats.url) as connected:
        yield connected


@pytest.fixture
async def heard(own_nats: EmbeddedNats, bus: Bus) -> AsyncIterator[list[str]]:
    """What a service was asked."""
    found: list[str] = []

    async def on_start_completion(command: StartCompletion) -> RunStarted:
        found.append(command.turns[0].content)
        return RunStarted(run_id=command.run_id, conversation_id="conv_x", message_id="msg_x")

    async def on_delete_completion(command: DeleteCompletion) -> Deleted:
        raise Refused("unknown_run", command.run_id)

    broker = make_broker(BusSettings(url=(own_nats.url,)), "chat", bus)
    blobs = Blobs(bus, 1)
    on_request(broker, StartCompletion, workers=1, kept=blobs)(on_start_completion)
    on_request(broker, DeleteCompletion, workers=1, kept=blobs)(on_delete_completion)
    await broker.start()
    await until(lambda: answers(bus))  # its subscriptions may be on their way to the server yet
    yield found
    await broker.stop()


async def answers(bus: Bus) -> bool:
    try:
        await call(bus, DeleteCompletion(owner=OWNER, run_id="chat_y"), timeout=1)
    except Refused:
        return True
    except Unavailable:
        return False
    raise AssertionError("it was not refused")


def asked(content: str) -> StartCompletion:
    return StartCompletion(owner=OWNER, run_id="chat_x", turns=(Turn(role="user", content=content),))


@pytest.mark.parametrize(
    "length", [1, MAX_REQUEST_BYTES, 3 * 1024 * 1024], ids=["short", "long", "longer than NATS carries"]
)
async def test_a_request_arrives_whole_whatever_its_length(bus: Bus, heard: list[str], length: int) -> None:
    blobs = Blobs(bus, 1)
    for content in ("a" * length, "é" * (length // 2)):
        await call(bus, asked(content), timeout=30, blobs=blobs)
        assert heard.pop() == content
    if length > 1:
        assert not await subjects_of(bus.client, f"OBJ_{BUCKET}", f"$O.{BUCKET}.C.>"), "nothing of it is kept"


async def test_a_short_request_is_refused_as_ever(bus: Bus, heard: list[str]) -> None:
    with pytest.raises(Refused, match="chat_y"):
        await call(bus, DeleteCompletion(owner=OWNER, run_id="chat_y"), timeout=30, blobs=Blobs(bus, 1))


async def test_who_cannot_keep_a_request_is_refused(bus: Bus, heard: list[str]) -> None:
    with pytest.raises(Refused, match="larger"):
        await call(bus, asked("x" * 3 * 1024 * 1024), timeout=30)


async def test_a_long_request_that_nobody_hears_is_unavailable(bus: Bus) -> None:
    with pytest.raises(Unavailable):
        await call(bus, asked("x" * MAX_REQUEST_BYTES), timeout=30, blobs=Blobs(bus, 1))

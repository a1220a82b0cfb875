"""A bus or a database that is away ends no run, and keeps none from being ended when it is back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from contracts.chat import CancelRun, DeleteConversation, GetRun, SendMessage
from kit.orchestrate import watchdog
from kit.refusal import Refused
from kit.runlog.lane import RunKey
from kit.runlog.once import read_last
from tests.fixtures.polling import until
from tests.integration.chat.mortal import Mortal
from tests.integration.chat.watching import PERIOD, UNANSWERED, Watched
from tests.integration.chat.world import OWNER, World, world_on


@pytest.fixture(scope="module")
async def mortal(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mortal]:
    found = Mortal(tmp_path_factory.mktemp("mortal"))
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def world(mortal: Mortal) -> AsyncIterator[World]:
    async with world_on(mortal.servers) as found:
        yield found


@pytest.mark.parametrize("looked", [True, False], ids=["it looked meanwhile", "it noticed nothing but the connection"])
async def test_a_restart_of_the_bus_begins_the_counting_anew(world: World, mortal: Mortal, looked: bool) -> None:
    """Its worker needs a moment until it is connected again, and until then nobody answers for it."""
    service = await world.replica()
    watched = Watched(service)
    key = await world.begin()
    await watched.look()
    await watched.pass_time(UNANSWERED - 1)
    await mortal.nats.kill()
    await until(lambda: connected(service, False))
    if looked:
        await watched.pass_time(PERIOD)
    await mortal.nats.start()
    await until(lambda: connected(service, True))
    await until(lambda: connected(world, True))
    await watched.look()
    await watched.pass_time(UNANSWERED - 1)
    assert (await world.row(key))["status"] == "running"
    assert await world.lane(key) == []
    await watched.pass_time(1)
    await until(lambda: world.is_told(key))
    assert (await world.row(key))["status"] == "failed"


async def connected(who: Any, wanted: bool) -> bool:
    """Whether somebody's connections are as wanted."""
    buses = [who.bus] if isinstance(who, World) else [who._bus, who._log_bus]
    return all(bus.connected is wanted for bus in buses)


async def test_a_bus_that_stands_still_ends_nothing(
    world: World, mortal: Mortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody notices at once that it does: the connections stay."""

    async def impatient(*arguments: Any) -> Any:
        async with asyncio.timeout(1):
            return await read_last(*arguments)

    monkeypatch.setattr(watchdog, "read_last", impatient)
    watched = Watched(await world.replica())
    key = await world.begin()
    await watched.look()
    await watched.pass_time(UNANSWERED - 1)
    with mortal.bus_stands_still():
        watched.now += PERIOD
        with pytest.raises(TimeoutError):
            await watched.look()
    await watched.look()
    await watched.pass_time(UNANSWERED - 1)
    assert (await world.row(key))["status"] == "running"
    await watched.pass_time(1)
    await until(lambda: world.is_told(key))


async def test_a_database_that_is_away_is_waited_for(world: World, mortal: Mortal) -> None:
    service = await world.replica(sweeping=True, watch_seconds=0.05, unanswered_seconds=0.5)
    keys = [await world.begin() for _ in range(3)]
    await mortal.postgres.kill()
    try:
        await assert_asked_to_come_again(world, keys[0])
        worker = await world.work_on(keys[0])
        await worker.finish("ended meanwhile, and nobody told")
    finally:
        await mortal.postgres.start()

    async def all_told() -> bool:
        try:
            return all([await world.is_told(key) for key in keys])
        except (OSError, asyncpg.PostgresError):  # not quite there yet
            return False

    await until(all_told)
    assert [(await world.row(key))["status"] for key in keys] == ["completed", "failed", "failed"]
    for key in keys:
        assert len(await world.run_lane(key)) == 2
    assert service._bus.connected


async def assert_asked_to_come_again(world: World, key: RunKey) -> None:
    """Not now is not never."""
    for request in (
        GetRun(owner=OWNER, run_id=key.run),
        DeleteConversation(owner=OWNER, conversation_id="conv_x"),
        SendMessage(owner=OWNER, run_id="chat_x", conversation_id="conv_x", create=True, content="Hello", model="m"),
        CancelRun(owner=OWNER, run_id=key.run),
    ):
        with pytest.raises(Refused) as refused:
            await world.ask(request)
        assert refused.value.problem.code == "unavailable"

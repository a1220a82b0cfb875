"""Two watchdogs do not do the same, and what one of them has seen is nothing to the other."""

from tests.integration.chat.watching import PERIOD, UNANSWERED, Watched
from tests.integration.chat.world import World


async def test_two_watchdogs_ask_a_worker_once(world: World) -> None:
    first, second = await world.replica(), await world.replica()
    watching = [Watched(first, "one"), Watched(second, "two")]
    worker = await world.work_on(await world.begin())
    for _ in range(5):
        for watched in watching:
            await watched.pass_time(PERIOD)
    assert worker.pings == 4, "at every look of the one but the first"


async def test_who_takes_over_has_seen_nothing_yet(world: World) -> None:
    first, second = await world.replica(), await world.replica()
    one, two = Watched(first, "one"), Watched(second, "two")
    key = await world.begin()
    for watched in (one, two):
        await watched.look()
        await watched.pass_time(UNANSWERED - PERIOD)
    await world.execute("UPDATE chat.duty SET until = now() - interval '1 second'")
    await two.pass_time(UNANSWERED)
    assert (await world.row(key))["status"] == "running"
    await one.pass_time(2 * UNANSWERED)
    assert (await world.row(key))["status"] == "running", "it has lost the duty and what it saw"
    await two.pass_time(PERIOD)
    assert len(await world.lane(key)) == 1, "the other has ended it"


async def test_who_had_the_duty_before_remembers_nothing(world: World) -> None:
    """In between somebody may have answered the other one."""
    one, two = Watched(await world.replica(), "one"), Watched(await world.replica(), "two")
    key = await world.begin()
    await one.look()
    await one.pass_time(UNANSWERED - PERIOD)
    await world.execute("UPDATE chat.duty SET until = now() - interval '1 second'")
    await two.look()
    await one.pass_time(2 * UNANSWERED)
    await world.execute("UPDATE chat.duty SET until = now() - interval '1 second'")
    await one.pass_time(UNANSWERED - PERIOD)
    assert (await world.row(key))["status"] == "running"

"""Every lane and every run of compare ends in bounded time, whoever died."""

from contracts import events
from kit.orchestrate.duty import Duty
from kit.orchestrate.watchdog import Watchdog
from services.compare.service import CompareService
from services.compare.watched import WatchedRuns
from tests.integration.compare.world import World

PERIOD, UNANSWERED = 10.0, 300.0


class Watched:
    """Looks when the test says so, and believes that as much time has passed as the test says."""

    def __init__(self, service: CompareService) -> None:
        self.now = 1000.0
        self._watchdog = Watchdog(
            service._bus,
            WatchedRuns(service._database, service._endings),
            service._stand_in,
            Duty(service._database, "compare", "watch", "one", 31),
            period_seconds=PERIOD,
            unanswered_seconds=UNANSWERED,
            clock=lambda: self.now,
        )

    async def pass_time(self, seconds: float) -> None:
        """Look every period, as long as that."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(self.now + PERIOD, until)
            await self._watchdog.look()


async def test_a_lane_without_a_worker_fails_and_the_one_with_a_worker_goes_on(world: World) -> None:
    service = await world.replica()
    watched = Watched(service)
    key = await world.begin("m-1", "m-2", "m-3")
    alive, dead = await world.work_on(key, "m-1"), await world.work_on(key, "m-2")
    await dead.say("half")
    await dead.die()
    await watched.pass_time(UNANSWERED + 2 * PERIOD)
    for row in (await world.lanes(key))[1:]:
        await service._endings.end_now(key, row["lane"])
    shown = await world.shown(key)
    assert [shown[model].status for model in ("m-1", "m-2", "m-3")] == ["running", "failed", "failed"]
    assert [(shown[m].text, shown[m].error.code) for m in ("m-2", "m-3")] == [  # type: ignore[union-attr]
        ("half", "abandoned"),
        ("", "no_worker"),
    ]
    await service._endings.on_generation_ended(await alive.finish("whole"))
    assert (await world.ended(key)).status == "completed"


async def test_an_ending_that_nobody_told_of_is_found(world: World) -> None:
    service = await world.replica()
    watched = Watched(service)
    key = await world.begin()
    for model in ("m-1", "m-2"):
        await (await world.work_on(key, model)).finish(model)
    await watched.pass_time(2 * PERIOD)
    ended = await world.ended(key)
    assert [lane.text for lane in ended.lanes] == ["m-1", "m-2"]


async def test_a_run_whose_log_lacks_its_ending_is_told_again(world: World) -> None:
    service = await world.replica()
    watched = Watched(service)
    key = await world.completed()
    await world.pool.execute("UPDATE compare.run SET told_at = NULL WHERE id = $1", key.run)
    log = await world.logged(key)
    await watched.pass_time(2 * PERIOD)
    await world.ended(key)
    assert await world.logged(key) == log
    assert isinstance((await world.lane(key))[-1], events.RunCompleted)

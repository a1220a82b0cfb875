"""Nothing is kept for ever, neither a step that nobody answers nor a log that nobody reads."""

from contracts import events
from contracts.architect import ReplayArchitectRun
from kit.orchestrate.duty import Duty
from kit.orchestrate.retention import Retention
from kit.orchestrate.watchdog import Watchdog
from kit.runlog.lane import RunKey
from services.architect.purge_store import PURGES, Old
from services.architect.service import ArchitectService
from services.architect.watched import WatchedRuns
from tests.fixtures.bus import subjects_of
from tests.fixtures.polling import until
from tests.integration.architect.world import OWNER, World, step

PERIOD, UNANSWERED = 10.0, 300.0


async def test_a_step_that_nobody_answers_fails(world: World) -> None:
    service = await world.replica()
    key = await world.begin(step("a", retries=0, on_error="continue"), step("b", "a"))
    answering = await world.answering(key, "a")
    await answering.say("half")
    await answering.die()
    now = 1000.0
    duty = Duty(service._database, "architect", "watch", "one", 31)
    watched = WatchedRuns(service._database, service._endings)
    watchdog = Watchdog(
        *(service._bus, watched, service._stand_in, duty),
        period_seconds=PERIOD,
        unanswered_seconds=UNANSWERED,
        clock=lambda: now,
    )
    for _ in range(int(UNANSWERED / PERIOD) + 2):
        now += PERIOD
        await watchdog.look()
    failed = await world.until_status(key, "a", "failed")
    assert (failed.error and failed.error.code, failed.output) == ("abandoned", "half")
    assert failed.cost_usd not in (None, "0"), "it was paid for, by estimate"
    await world.answer(key, "b")
    assert (await world.until_ended(key)).status == "completed"


async def test_an_old_run_leaves_the_log_and_its_owner_is_told_the_same(world: World) -> None:
    service = await world.replica()
    key = await world.begin(step("a", prompt="long " * 39_000), step("b", "a"), step("c", "a", condition="False"))
    await world.answer(key, "a", "A" * 100_000)
    await world.answer(key, "b", "B")
    await world.until_ended(key)
    before = await _told(world, key)
    assert await _kept(world, key)
    await _purge(world, service, key)
    assert not await subjects_of(world.bus.client, "RUNS", f"log.*.*.{key.run}.>")
    assert not await _kept(world, key)
    assert await _told(world, key) == before
    assert (await world.get(key)).outputs == {"b": "B"}


async def _told(world: World, key: RunKey) -> list[events.Event | None]:
    stored = await world.ask(ReplayArchitectRun(owner=OWNER, run_id=key.run))
    return [events.decode(event.encode()) for event in stored.events]


async def _kept(world: World, key: RunKey) -> list[str]:
    store = await world.bus.client.jetstream().object_store("blobs")
    return [each.name for each in await store.list() if (each.name or "").startswith(key.run) and not each.deleted]


async def _purge(world: World, service: ArchitectService, key: RunKey) -> None:
    async def settled() -> bool:
        row = await world.pool.fetchrow("SELECT told_at, owed_since FROM architect.run WHERE id = $1", key.run)
        return bool(row["told_at"]) and row["owed_since"] is None

    await until(settled)
    await world.pool.execute("UPDATE architect.run SET ended_at = ended_at - interval '1 day' WHERE id = $1", key.run)
    duty = Duty(service._database, "architect", "purge", "one", 31)
    parts = (service._bus, service._database, service._blobs, service._reads, duty, PURGES)
    purging = Retention(*parts, Old(service._database, 3600.0).order, purges_per_second=1000, idle_seconds=1)
    while await purging.step() is not None:
        pass

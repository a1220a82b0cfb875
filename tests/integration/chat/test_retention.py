"""What leaves the log, and when: runs that are over, in their own time, and nothing of a run that goes on."""

from typing import Any

import pytest

from contracts.chat import ReplayRun
from kit.runlog.purge import purge_run
from kit.runlog.writer import FencedError
from services.chat.purge_store import PURGES
from tests.fixtures.bus import api
from tests.fixtures.polling import until
from tests.integration.chat.purging import age, all_done, completed, marked, retention
from tests.integration.chat.world import OWNER, World


async def test_a_run_that_ended_long_ago_leaves_the_log_and_is_told_from_the_tables(world: World) -> None:
    purging = retention(await world.replica())
    old, young = await completed(world), await completed(world)
    await age(world, old)
    before = await world.ask(ReplayRun(owner=OWNER, run_id=old.run))
    assert await all_done(purging) == 2, "one step that orders, one that purges"
    assert await world.logged(old) == {}
    assert sum((await world.logged(young)).values()) == 5
    assert await world.ask(ReplayRun(owner=OWNER, run_id=old.run)) == before
    assert (await world.row(old))["purged_at"] is not None
    assert not await all_done(purging), "done is done"


async def test_a_run_that_goes_on_keeps_its_log_and_its_fence_whatever_its_age(world: World) -> None:
    purging = retention(await world.replica())
    key = await world.begin()
    worker = await world.work_on(key)
    await age(world, key)
    await all_done(purging)
    assert len(await world.logged(key)) == 2
    with pytest.raises(FencedError):
        await world.work_on(key, attempt=2, last=0)
    await worker.say("on and on")
    await world.tell(await worker.finish("on and on"))
    await until(lambda: marked(world, key))
    assert (await world.reply(key))["content"] == "on and on"


@pytest.mark.parametrize("missing", ["told_at", "dispatched_at"])
async def test_a_run_whose_messages_may_be_on_their_way_is_left_alone(world: World, missing: str) -> None:
    """They would come into an empty log: a second beginning, or an ending that stands alone."""
    purging = retention(await world.replica())
    key = await completed(world)
    await age(world, key)
    await world.execute(f"UPDATE chat.run SET {missing} = NULL WHERE id = $1", key.run)
    await all_done(purging)
    assert sum((await world.logged(key)).values()) == 5


async def test_what_a_late_worker_writes_into_a_purged_run_is_purged_again(world: World) -> None:
    """It expects an empty lane and gets it; its answer is nobody's."""
    purging = retention(await world.replica())
    key = await completed(world, "the first")
    await age(world, key)
    await all_done(purging)
    row, replay = await world.row(key), await world.ask(ReplayRun(owner=OWNER, run_id=key.run))
    zombie = await world.work_on(key, attempt=2)
    await zombie.say("another")
    fact = await zombie.finish("another")
    # The bus has not forgotten the id of the first fact yet, as it would have by then.
    await world.bus.client.jetstream().publish(fact.subject(), fact.model_dump_json(exclude_none=True).encode())

    async def purged_again() -> bool:
        await all_done(purging)
        return not await world.logged(key)

    await until(purged_again)
    assert await world.row(key) == row
    assert await world.ask(ReplayRun(owner=OWNER, run_id=key.run)) == replay
    assert (await world.facts())[key.run].count("evt.chat.run.completed") == 1


async def test_a_fact_that_comes_again_after_the_purge_changes_nothing(world: World) -> None:
    service = await world.replica()
    key = await world.begin()
    fact = await (await world.work_on(key)).finish("all")
    await world.tell(fact)
    await until(lambda: marked(world, key))
    await age(world, key)
    await all_done(retention(service))
    row = await world.row(key)
    await service._endings.on_generation_ended(fact)
    assert await world.logged(key) == {}
    assert await world.row(key) == row
    assert await PURGES.following(service._database) is None


async def test_a_purged_lane_is_not_ended_by_who_had_seen_its_beginning(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chat stood still between reading the log and writing to it, and the conversation was deleted meanwhile."""
    service = await world.replica()
    key = await world.begin()
    fact = await (await world.work_on(key)).finish("all")
    original = service._endings._tell

    async def late(*arguments: Any) -> None:
        await purge_run(world.bus, key)
        await original(*arguments)

    monkeypatch.setattr(service._endings, "_tell", late)
    await service._endings.on_generation_ended(fact)
    assert await world.logged(key) == {}


async def test_nothing_is_purged_by_the_stream_itself(world: World) -> None:
    config = (await api(world.bus.client, "STREAM.INFO.RUNS"))["config"]
    assert config["max_age"] == 0, "age must never cut a run that is still going"
    assert config["max_msgs_per_subject"] == -1

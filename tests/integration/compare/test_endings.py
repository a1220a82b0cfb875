"""The end of lanes and of runs, whatever is repeated, lost or happens at the same moment."""

import asyncio
from typing import Any

import pytest

from contracts import events
from contracts.compare import DeleteComparison
from contracts.generation import GenerationEnded
from contracts.ids import RUN_LANE
from kit.bus.redelivery import DeadLetterError
from kit.clock import now_ms
from kit.orchestrate.told import LogBehindError
from services.compare import endings
from tests.fixtures.database import database
from tests.fixtures.polling import until
from tests.integration.compare.world import OWNER, World

LONG = "long " * 40_000
"""More than a message may carry."""


class CrashError(Exception):
    """What happens to a process, as far as it can happen inside one."""


async def facts_of(world: World, *texts: str) -> tuple[Any, list[GenerationEnded]]:
    """A run whose lanes have ended in the log, and nobody has told of it."""
    key = await world.begin()
    facts = []
    for model, text in zip(("m-1", "m-2"), texts or ("one", "two"), strict=True):
        facts.append(await (await world.work_on(key, model)).finish(text))
    return key, facts


async def test_every_fact_may_come_twice_and_late(world: World) -> None:
    handlers = (await world.replica())._endings
    key, facts = await facts_of(world)
    for fact in (*facts, *facts):
        await handlers.on_generation_ended(fact)
    ended = await world.ended(key)
    rows, log = await world.lanes(key), await world.logged(key)
    for fact in facts:
        await handlers.on_generation_ended(fact)
    assert (await world.get(key), await world.lanes(key), await world.logged(key)) == (ended, rows, log)
    assert (await world.facts())[key.run].count("evt.compare.run.completed") == 1


@pytest.mark.parametrize("step", ["end_lane", "publish"])
async def test_a_crash_between_the_commit_and_what_follows_is_made_up_for(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    handlers = (await world.replica())._endings
    key, (first, second) = await facts_of(world)
    await handlers.on_generation_ended(first)
    works, crashed = getattr(endings, step), False

    async def once(*arguments: Any, **options: Any) -> Any:
        nonlocal crashed
        if not crashed:
            crashed = True
            raise CrashError
        return await works(*arguments, **options)

    monkeypatch.setattr(endings, step, once)
    with pytest.raises(CrashError):
        await handlers.on_generation_ended(second)
    committed = (await world.row(key))["ended_at"]
    assert committed is not None
    await handlers.on_generation_ended(second)
    await world.ended(key)
    assert (await world.row(key))["ended_at"] == committed, "it ended when it ended"
    assert await world.run_lane(key) == ["run.created", "run.completed"]
    assert (await world.facts())[key.run].count("evt.compare.run.completed") == 1


async def test_of_the_last_two_lanes_at_the_same_moment_one_sees_both(world: World) -> None:
    """Both replicas wait for the run's row; whichever comes second ends the run."""
    replicas = [await world.replica(), await world.replica()]
    key, facts = await facts_of(world)
    async with database(world.servers) as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM compare.run WHERE id = $1 FOR UPDATE", key.run)
        handling = [
            asyncio.create_task(replica._endings.on_generation_ended(fact))
            for replica, fact in zip(replicas, facts, strict=True)
        ]

        async def both_wait() -> bool:
            return (await world.rows("SELECT count(*) AS n FROM pg_locks WHERE NOT granted"))[0]["n"] >= 2

        await until(both_wait)
    await asyncio.gather(*handling)
    ended = await world.ended(key)
    assert [lane.text for lane in ended.lanes] == ["one", "two"]
    assert await world.run_lane(key) == ["run.created", "run.completed"]


async def test_a_fact_that_is_ahead_of_the_log_is_tried_again_and_one_of_no_lane_is_given_up(world: World) -> None:
    handlers = (await world.replica())._endings
    key, (fact, _) = await facts_of(world)
    with pytest.raises(LogBehindError):
        await handlers.on_generation_ended(fact.model_copy(update={"sequence": fact.sequence + 1_000_000}))
    with pytest.raises(DeadLetterError):
        await handlers.on_generation_ended(fact.model_copy(update={"lane": "lane_nobody"}))
    assert {lane.status for lane in (await world.get(key)).lanes} == {"running"}


async def test_facts_of_other_orchestrators_are_none_of_its_business(world: World) -> None:
    handlers = (await world.replica())._endings
    _, (fact, _) = await facts_of(world)
    await handlers.on_generation_ended(fact.model_copy(update={"run_id": "chat_1"}))
    assert await world.rows("SELECT run_id FROM compare.log_purge") == []


async def test_a_text_too_long_for_a_message_is_stored_whole(world: World) -> None:
    await world.replica()
    key = await world.begin()
    reference = await world.blobs.put(f"{key.run}.long", LONG.encode())
    await world.answer(key, "m-1", text_ref=reference)
    gone = await world.work_on(key, "m-2")
    await gone.say("what was streamed ", "is what was said")
    await world.replicas[0]._endings.on_generation_ended(await gone.finish(text_ref="never kept"))
    ended = await world.ended(key)
    assert [lane.text for lane in ended.lanes] == [LONG, "what was streamed is what was said"]


async def test_what_comes_after_the_comparison_was_deleted_has_its_log_purged(world: World) -> None:
    handlers = (await world.replica())._endings
    key = await world.completed()
    await world.ask(DeleteComparison(owner=OWNER, run_id=key.run))
    await world.pool.execute("DELETE FROM compare.log_purge")  # it was purged
    lane = next(iter(await world.logged(key))).rpartition(".")[2]
    fact = GenerationEnded(outcome="completed", owner=OWNER, run_id=key.run, lane=lane, sequence=1, model="m-1")
    await handlers.on_generation_ended(fact)
    assert [row["run_id"] for row in await world.rows("SELECT run_id FROM compare.log_purge")] == [key.run]


async def test_nul_and_reasoning_of_an_answer(world: World) -> None:
    await world.replica()
    key = await world.begin()
    await world.answer(key, "m-1", "a\x00b", reasoning="because")
    await world.answer(key, "m-2", "", kind=events.GenerationFailed)
    first, second = (await world.ended(key)).lanes
    assert (first.text, first.reasoning, second.text) == ("ab", "because", "the answer of m-2")


async def test_a_run_whose_lanes_have_all_failed_says_so(world: World) -> None:
    await world.replica()
    key = await world.begin()
    await world.answer(key, "m-1", "", kind=events.GenerationFailed)
    await world.answer(key, "m-2", "", kind=events.GenerationFailed)
    ended = await world.ended(key)
    assert ended.error is not None
    assert (ended.status, ended.error.code) == ("failed", "all_lanes_failed")
    ending = (await world.lane(key, RUN_LANE))[-1]
    assert isinstance(ending, events.RunFailed)
    assert ending.at <= now_ms()
    assert [lane.error_code for lane in ending.lanes] == ["provider_unavailable"] * 2

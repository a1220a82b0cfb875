"""Stop against completion against failure against the watchdog, with facts that come twice or never, on two replicas:
whoever is first, every run and every generation ends once, and log, tables and facts say the same.
"""

import asyncio
import contextlib
import os
import random
from collections import Counter
from typing import Any

from contracts import events
from kit.clock import utc_now
from kit.runlog.lane import RunKey
from kit.runlog.writer import FencedError
from services.chat import core, run_store
from services.chat.purge_store import PURGES
from tests.fixtures.polling import until
from tests.integration.chat.world import OWNER, World

SEED = 20261123
RUNS, AT_ONCE = int(os.environ.get("STUDIO_TEST_RACES", "120")), 24
OUTCOMES = (events.GenerationCompleted, events.GenerationFailed, None)
"""How a worker ends; None: it is gone without a word."""


async def moment(dice: random.Random) -> None:
    """The moment is what is tried out."""
    await asyncio.sleep(dice.random() * 0.08)


async def work(world: World, key: RunKey, dice: random.Random, attempt: int) -> None:
    """A worker that takes a request up, once or after another, and ends it, or does not."""
    outcome, told, words = dice.choice(OUTCOMES), dice.randrange(3), dice.randrange(4)
    deaf, moments = dice.random() < 0.3, [dice.random() * 0.05 for _ in range(8)]
    last = (await world.reads.lane(key.lane("main")) or [(0, None)])[-1]
    if isinstance(last[1], events.GenerationEnding):
        return
    with contextlib.suppress(FencedError):
        worker = await world.work_on(key, attempt=attempt, last=last[0])
        try:
            if deaf or outcome is None:
                await worker.die()
            text = ""
            for word in range(words):
                await asyncio.sleep(moments[word])
                if worker.stops:
                    break
                await worker.say(f"{attempt}.{word} ")
                text += f"{attempt}.{word} "
            if worker.stops:
                fact = await worker.finish(text, events.GenerationCancelled)
            elif outcome is None:
                return
            else:
                fact = await worker.finish(text, outcome)
            for _ in range(told):  # 0: it died between the ending and the fact
                await world.tell(fact)
                body = fact.model_dump_json(exclude_none=True).encode()
                await world.bus.client.jetstream().publish(fact.subject(), body)  # as if long after
        finally:
            world.writers.close(worker.writer)
            for stop in worker.stops:
                await stop.respond(b"")
            await worker.die()


async def one(world: World, number: int, limit: asyncio.Semaphore) -> RunKey:
    """One run and everybody who wants to end it."""
    dice = random.Random(SEED + number)
    async with limit:
        key = await world.begin()
        racers: list[Any] = [work(world, key, random.Random(dice.random()), 1)]
        if dice.random() < 0.4:
            racers.append(after(dice, work(world, key, random.Random(dice.random()), 2)))
        for _ in range(dice.randrange(3)):
            racers.append(after(dice, world.cancel(key)))
        await asyncio.gather(*racers)
        await until(lambda: world.is_told(key))
        return key


async def after(dice: random.Random, what: Any) -> None:
    await moment(dice)
    await what


async def test_whoever_is_first_ends_it_and_nobody_else(world: World) -> None:
    for _ in range(2):
        await world.replica(sweeping=True, watch_seconds=0.02, unanswered_seconds=0.06)
    limit = asyncio.Semaphore(AT_ONCE)
    keys = await asyncio.gather(*(one(world, number, limit) for number in range(RUNS)))
    facts, seen = await world.facts(), Counter[str]()
    for key in keys:
        lane, run_lane, row = await world.lane(key), await world.run_lane(key), await world.row(key)
        outcome = row["status"]
        endings = [event for event in lane if isinstance(event, events.GenerationEnding)]
        assert endings == lane[-1:], "one, and nothing after it"
        assert run_lane == ["run.created", f"run.{outcome}"]
        assert events.type_of(endings[0]) == f"generation.{outcome}"
        reply = await world.reply(key)
        said = "".join(event.text for event in lane if isinstance(event, events.GenerationDelta))
        assert (reply["status"], reply["model"]) == (outcome, endings[0].model)
        stood_in = bool(endings[0].usage and endings[0].usage.estimated)
        assert reply["content"] == (endings[0].text or "")
        if stood_in:
            assert reply["content"] == said, "every word that somebody may have seen"
        of_runs = [fact for fact in facts[key.run] if fact.startswith("evt.chat.run.")]
        assert sorted(of_runs) == sorted(["evt.chat.run.created", f"evt.chat.run.{outcome}"])
        of_generations = {fact for fact in facts[key.run] if fact.startswith("evt.inference.")}
        assert of_generations == {f"evt.inference.generation.{outcome}"}, "told, and as it was"
        seen[f"{outcome}.{'stand-in' if stood_in else 'worker'}"] += 1
    everybody = {f"{how}.worker" for how in ("completed", "failed", "cancelled")}
    assert seen.keys() == everybody | {"failed.stand-in", "cancelled.stand-in"}, "each was first sometimes"


async def test_of_two_facts_at_the_same_moment_both_see_the_end(world: World) -> None:
    """The second one waits for the row of the first, and must not take the run for one that was deleted."""
    replicas = [await world.replica(), await world.replica()]
    key = await world.begin()
    fact = await (await world.work_on(key)).finish("all")
    async with world.pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute("SELECT FROM chat.run WHERE id = $1 FOR UPDATE", key.run)
            ending: Any = (await world.lane(key))[-1]
            reply = core.reply_row(ending, "all", "")
            storing = [
                asyncio.create_task(run_store.end(each._database, OWNER, key.run, reply, utc_now()))
                for each in replicas
            ]

            async def both_wait() -> bool:
                query = """SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
                           AND datname = current_database() AND query LIKE '%WITH ended AS%'"""
                [found] = await world.rows(query)  # of another session: in one transaction every look is the first one
                return bool(found["count"] == 2)

            await until(both_wait)
        for state in await asyncio.gather(*storing):
            assert state is not None
            assert state.status == "completed"
    await replicas[1]._endings.on_generation_ended(fact)
    assert await world.run_lane(key) == ["run.created", "run.completed"]


async def test_a_run_that_is_there_is_never_purged_for_a_late_word(world: World) -> None:
    service = await world.replica()
    key = await world.begin()
    await PURGES.ask(service._database, OWNER, key.run)
    assert await world.rows("SELECT * FROM chat.log_purge") == []

"""Stops of lanes and of runs against workers that finish, fail, hear nothing or die, with facts that come twice or
never, on two replicas: whoever is first, every lane and every run ends once, and log, tables and facts say the same.
"""

import asyncio
import contextlib
import os
import random
from collections import Counter
from typing import Any

from contracts import events
from contracts.compare import CancelCompareRun, CancelLane
from kit.runlog.lane import RunKey
from kit.runlog.writer import FencedError
from tests.integration.compare.world import OWNER, World

SEED = 20261127
RUNS, AT_ONCE = int(os.environ.get("STUDIO_TEST_RACES", "24")), 12
MODELS = ("m-1", "m-2", "m-3")
OUTCOMES = (events.GenerationCompleted, events.GenerationFailed, events.GenerationFailed, None)
"""How a worker ends; None: it is gone without a word."""


async def work(world: World, key: RunKey, model: str, dice: random.Random) -> None:
    """A worker that takes up a lane and ends it, or does not."""
    outcome, told, words, deaf = dice.choice(OUTCOMES), dice.randrange(3), dice.randrange(4), dice.random() < 0.3
    with contextlib.suppress(FencedError):
        worker = await world.work_on(key, model)
        stops = worker.stops
        try:
            if deaf:
                await worker.die()
            text = ""
            for word in range(words):
                await asyncio.sleep(dice.random() * 0.05)
                if stops:
                    break
                await worker.say(f"{word} ")
                text += f"{word} "
            kind = events.GenerationCancelled if stops else outcome
            if kind is None:
                return
            fact = await worker.finish(text, kind)
            for _ in range(told):  # 0: it died between the ending and the fact
                body = fact.model_dump_json(exclude_none=True).encode()
                await world.bus.client.jetstream().publish(fact.subject(), body)
        finally:
            world.writers.close(worker.writer)
            for stop in stops:
                await stop.respond(b"")
            await worker.die()


async def one(world: World, number: int, limit: asyncio.Semaphore) -> RunKey:
    """One run and everybody who wants to end it."""
    dice = random.Random(SEED + number)
    async with limit:
        key = await world.begin(*MODELS)
        lanes = [row["lane"] for row in await world.lanes(key)]
        racers: list[Any] = [work(world, key, model, random.Random(dice.random())) for model in MODELS]
        if dice.random() < 0.5:
            racers.append(after(dice, world.ask(CancelCompareRun(owner=OWNER, run_id=key.run))))
        for lane in lanes:
            if dice.random() < 0.3:
                racers.append(after(dice, world.ask(CancelLane(owner=OWNER, run_id=key.run, lane=lane))))
        await asyncio.gather(*racers)
        await world.ended(key)
        return key


async def after(dice: random.Random, what: Any) -> None:
    """The moment is what is tried out."""
    await asyncio.sleep(dice.random() * 0.1)
    await what


async def test_whoever_is_first_ends_it_and_nobody_else(world: World) -> None:
    for _ in range(2):
        await world.replica(sweeping=True, watch_seconds=0.02, unanswered_seconds=0.06)
    limit = asyncio.Semaphore(AT_ONCE)
    keys = await asyncio.gather(*(one(world, number, limit) for number in range(RUNS)))
    facts, seen = await world.facts(), Counter[str]()
    for key in keys:
        run, ending = await world.get(key), (await world.lane(key))[-1]
        assert await world.run_lane(key) == ["run.created", f"run.{run.status}"]
        told = [(lane.lane, lane.status, lane.provider, lane.cost_usd) for lane in run.lanes]
        assert [(lane.lane, lane.outcome, lane.provider, lane.cost_usd) for lane in ending.lanes] == told
        for lane, end in zip(run.lanes, ending.ends, strict=True):
            said = await world.reads.lane(key.lane(lane.lane))
            endings = [(place, event) for place, event in said if isinstance(event, events.GenerationEnding)]
            assert endings == said[-1:], "one, and nothing after it"
            assert (lane.lane, endings[0][0]) == (end.lane, end.sequence)
            assert events.type_of(endings[0][1]) == f"generation.{lane.status}"
            words = "".join(event.text for _, event in said if isinstance(event, events.GenerationDelta))
            assert lane.text == (endings[0][1].text or "")
            if endings[0][1].usage is not None and endings[0][1].usage.estimated:
                assert lane.text == words, "every word that somebody may have seen"
            seen[f"lane {lane.status}"] += 1
        assert sorted(facts[key.run]) == sorted(["evt.compare.run.created", f"evt.compare.run.{run.status}"])
        seen[run.status] += 1
    everything = {"completed", "failed", "cancelled"}
    assert seen.keys() == everything | {f"lane {outcome}" for outcome in everything}, "each happened"

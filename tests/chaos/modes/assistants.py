"""Runs of assistants while the processes that carry them out, ask the models and show them are killed at random."""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from contracts.assistant import Definition
from kit.tasks import cancelled
from tests.assistants import graphs
from tests.chaos.client.assistant import AssistantStream
from tests.chaos.client.load import Load, Shape
from tests.chaos.cluster.member import Member
from tests.chaos.modes.session import Outcome, Session, session
from tests.chaos.options import Options

Waits = Mapping[str, tuple[float, float]]
"""Between the kills of each process, by service."""

WAIT_SECONDS: Waits = {"architect": (0.5, 3.0), "inference": (4.0, 12.0), "edge": (3.0, 10.0)}
BACK_SECONDS = (0.1, 1.5)
RATE = (15.0, 60.0)
LONGEST_SECONDS = 60.0
"""Of any graph here: twelve steps of sixty words."""
POLICIES: tuple[graphs.Policy, ...] = ("skip", "continue", "stop")
SETTINGS = {
    "STUDIO_ARCHITECT_RETRY_BASE_SECONDS": "0.2",
    "STUDIO_INFERENCE_RETRY_BASE_SECONDS": "0.1",
    "STUDIO_INFERENCE_BREAKER_FAILURES": "1000000",  # the model fails on order, for all
    "STUDIO_INFERENCE_MAX_ATTEMPTS": "50",  # no answer is given up because its workers were killed
}


async def run(
    options: Options,
    folder: Path,
    say: Callable[[str], None],
    *,
    rate: tuple[float, float] = RATE,
    waits: Waits = WAIT_SECONDS,
    most: int | None = None,
) -> Outcome:
    """`--count` runs, `--streams` at a time. `most`: so often each process is killed; none: all the time."""
    async with session(options, folder, say, settings=SETTINGS) as now:
        load = now.load(Shape())
        numbers = iter(range(options.many))
        members = [member for service in waits for member in now.cluster.members[service]]
        killing = [asyncio.create_task(_kill(now, member, waits[member.kind], most)) for member in members]
        try:
            async with asyncio.TaskGroup() as group:
                for person in range(options.streams):
                    group.create_task(_person(now, load, numbers, person, rate))
        finally:
            await cancelled(*killing)
        outcome = await now.finish()
    kills = Counter(fault.kind for fault in now.history.faults)
    ends = Counter(verdict.outcome or "stuck" for verdict in load.verdicts)
    outcome.tables.append(
        f"{len(load.verdicts)} runs: {dict(ends)}; kills: {dict(kills)}; {sum(v.seams for v in load.verdicts)} seams, "
        f"{sum(v.reconnects for v in load.verdicts)} reconnects"
    )
    return outcome


async def _person(now: Session, load: Load, numbers: Iterator[int], person: int, rate: tuple[float, float]) -> None:
    user = load.user(f"person-{person}", random.Random(f"{now.options.seed}/person/{person}"))
    for number in numbers:
        dice = random.Random(f"{now.options.seed}/assistants/{number}")
        mark = f"r{number}"
        stream = AssistantStream(
            mark, _definition(number, dice, rate), graphs.inputs(mark), user, dice, seconds=LONGEST_SECONDS
        )
        verdict = await stream.live(now.history)
        load.verdicts.append(verdict)
        now.say(
            f"run {len(load.verdicts)} of {now.options.many}: {mark} {verdict.outcome or 'stuck'}, "
            f"{verdict.reconnects} reconnects, {len(verdict.violations)} violations"
        )


def _definition(number: int, dice: random.Random, rate: tuple[float, float]) -> Definition:
    """Every other one has the twelve steps with everything in them, under one policy after the other."""
    if number % 2 == 0:
        return graphs.twelve(POLICIES[number // 2 % len(POLICIES)], rate=round(dice.uniform(*rate), 1))
    return graphs.by_chance(dice, rate=rate)


async def _kill(now: Session, member: Member, wait: tuple[float, float], most: int | None) -> None:
    """One process, again and again."""
    rng = random.Random(f"{now.options.seed}/kill/{member.name}")
    for _ in itertools.count() if most is None else range(most):
        await asyncio.sleep(rng.uniform(*wait))
        happened = now.history.began(member.kind, "kill", member.name, set())
        member.kill(rng.uniform(*BACK_SECONDS))
        await member.until_ready()
        happened.restored = happened.recovered = time.monotonic()

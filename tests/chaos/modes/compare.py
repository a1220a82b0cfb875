"""Comparisons while the processes of the service that conducts them are killed at random moments, all the time."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from kit.tasks import cancelled
from tests.chaos.client.comparison import ComparisonStream
from tests.chaos.client.load import Load, Shape
from tests.chaos.model.counting import Order
from tests.chaos.modes.session import Outcome, Session, session
from tests.chaos.options import Options

SERVICE = "compare"
WORDS, RATE = (20, 120), (15.0, 40.0)
WAIT_SECONDS = (0.1, 1.0)
BACK_SECONDS = (0.1, 1.5)


async def run(options: Options, folder: Path, say: Callable[[str], None]) -> Outcome:
    """`--count` comparisons, `--streams` at a time; one replica or the other is down nearly always, sometimes both."""
    async with session(options, folder, say) as now:
        load = now.load(Shape())
        numbers = iter(range(options.many))
        killing = [asyncio.create_task(_kill(now, place)) for place in range(len(now.cluster.members[SERVICE]))]
        try:
            async with asyncio.TaskGroup() as group:
                for person in range(options.streams):
                    group.create_task(_person(now, load, numbers, person))
        finally:
            await cancelled(*killing)
        outcome = await now.finish()
    kills = sum(fault.kind == SERVICE for fault in now.history.faults)
    reconnects = sum(verdict.reconnects for verdict in load.verdicts)
    outcome.tables.append(f"{len(load.verdicts)} comparisons, {kills} kills of {SERVICE}, {reconnects} reconnects")
    return outcome


async def _person(now: Session, load: Load, numbers: Iterator[int], person: int) -> None:
    rng = random.Random(f"{now.options.seed}/compare/{person}")
    user = load.user(f"person-{person}", rng)
    for number in numbers:
        order = Order(marker=f"v{number}", words=rng.randint(*WORDS), rate=round(rng.uniform(*RATE), 1))
        verdict = await ComparisonStream(order, user, rng, now.history).live()
        load.verdicts.append(verdict)
        now.say(f"comparison {len(load.verdicts)} of {now.options.many}: {verdict.outcome}")


async def _kill(now: Session, place: int) -> None:
    """One replica, again and again; what it was doing is in no other process's hands then."""
    rng = random.Random(f"{now.options.seed}/kill/{place}")
    member = now.cluster.members[SERVICE][place]
    while True:
        await asyncio.sleep(rng.uniform(*WAIT_SECONDS))
        happened = now.history.began(SERVICE, "kill", member.name, set())
        member.kill(rng.uniform(*BACK_SECONDS))
        await member.until_ready()
        happened.restored = happened.recovered = time.monotonic()

"""A chain of steps that takes more than an hour, and in its middle everything is killed at once and started again."""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path

from tests.assistants import graphs
from tests.chaos.client.assistant import AssistantStream
from tests.chaos.client.load import Shape
from tests.chaos.modes.assistants import SETTINGS
from tests.chaos.modes.session import Outcome, Session, session
from tests.chaos.options import Options

STEPS = ("gather", "sort", "weigh", "draft", "check", "revise", "close")
RATE = 8.0  # words per second
PROGRESS_SECONDS = 60.0
DOWN_SECONDS = 3.0


async def run(options: Options, folder: Path, say: Callable[[str], None]) -> Outcome:
    """`--minutes` of words in seven steps, one after another."""
    seconds = 60 * options.minutes
    words = int(seconds / len(STEPS) * RATE) + 2
    definition = graphs.chain(list(STEPS), f"words={words}", rate=RATE)
    rng = random.Random(f"{options.seed}/long")
    async with session(options, folder, say, settings=SETTINGS) as now:
        load = now.load(Shape())
        stream = AssistantStream(
            "long", definition, graphs.inputs("long"), load.user("patient", rng), rng, seconds=2 * seconds
        )
        began = time.monotonic()
        living = asyncio.create_task(stream.live(now.history))
        telling = asyncio.create_task(_tell(stream, say))
        try:
            await asyncio.wait({living}, timeout=seconds / 2)
            if not living.done():
                await _restart(now)
            load.verdicts.append(await living)
        finally:
            telling.cancel()
            living.cancel()
        took = time.monotonic() - began
        if took < seconds:
            now.broken("ending", stream.verdict.run_id, f"it was over after {took:.0f} s already")
        outcome = await now.finish()
    outcome.tables.append(
        f"{len(STEPS)} steps of {words} words each, {took / 60:.1f} minutes, {stream.verdict.outcome}"
    )
    return outcome


async def _restart(now: Session) -> None:
    """Everything, with NATS and Postgres, as when the power fails."""
    now.say("everything is killed")
    members = now.cluster.everybody()
    happened = now.history.began("everything", "kill", "everything", set())
    for member in members:
        member.kill(DOWN_SECONDS)
    await asyncio.gather(*(member.until_ready() for member in members))
    happened.restored = happened.recovered = time.monotonic()
    now.say("everything runs again")


async def _tell(stream: AssistantStream, say: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        order = stream.orders[0]
        characters = sum(len(lane.text) for lane in order.lanes.values())
        say(f"{len(order.ended)} of {len(order.plan)} steps, {characters} characters")

"""Kill the worker that has an answer in mid-sentence, many times, and measure how soon the answer goes on."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.check.report import quantile, table
from tests.chaos.client.load import Shape
from tests.chaos.client.sse import Frame
from tests.chaos.client.stream import Stream
from tests.chaos.client.user import User
from tests.chaos.model import counting
from tests.chaos.model.counting import Order
from tests.chaos.modes.session import Goal, Outcome, Session, session
from tests.chaos.modes.workers import holder, until_words
from tests.chaos.options import Options

WORDS, RATE = 120, 16.0  # seven seconds and a half
BACK_SECONDS = (0.2, 1.5)
LOAD_WORDS = (60, 150)
"""An answer that is begun again each time its worker is killed must fit between two kills, or it never ends."""
NEXT_TOKEN_SECONDS = 60.0
GOAL_SECONDS = 10.0
SEAMS = ("generation.resumed", "generation.restarted")


@dataclass
class Seam:
    """What one watcher saw of one takeover."""

    killed: float = 0.0
    seam: asyncio.Event = field(default_factory=asyncio.Event)
    token: asyncio.Future[float] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def on_frame(self, frame: Frame, at: float) -> None:
        """The first words after the seam are the new worker's."""
        if not self.killed:
            return
        if frame.type in SEAMS:
            self.seam.set()
        elif frame.type == "generation.delta" and self.seam.is_set() and not self.token.done():
            self.token.set_result(at)


async def run(options: Options, folder: Path, say: Callable[[str], None]) -> Outcome:
    """`--count` kills, beside a light load; the provider's own delay is not counted."""
    rng = random.Random(f"{options.seed}/takeover")
    seconds: dict[str, list[float]] = {model: [] for model in counting.MODELS}
    async with session(options, folder, say) as now:
        load = now.load(Shape(streams=options.streams, words=LOAD_WORDS))
        user = load.user("victim", rng)
        async with now.under(load):
            for number in range(options.many):
                model = counting.MODELS[number % len(counting.MODELS)]
                try:
                    took = await _one(now, user, rng, number, model)
                except TimeoutError:
                    now.broken("stuck", f"t{number}", "no worker had the answer")
                    continue
                seconds[model].append(took)
                say(f"takeover {number + 1} of {options.many}, {model}: {took:.2f} s from the kill to the next token")
        outcome = await now.finish()
    everything = [each for model in seconds.values() for each in model]
    rows: list[tuple[str, ...]] = [("model", "kills", "p50", "p99", "max")]
    rows += [_row(model, values) for model, values in (*seconds.items(), ("all", everything)) if values]
    outcome.tables.append(table(rows))
    outcome.goals.append(Goal("p99 from the kill to the next token", quantile(everything, 0.99), GOAL_SECONDS))
    return outcome


async def _one(now: Session, user: User, rng: random.Random, number: int, model: str) -> float:
    """Seconds from the kill of the answer's worker to the next word of the same answer."""
    order = Order(marker=f"t{number}", words=WORDS, rate=RATE)
    stream = Stream(order, model, user, rng, now.history, now.cluster.record, calm=True, watchers=2)
    seam = Seam()
    stream.first.on_frame = seam.on_frame
    living = asyncio.create_task(now.loads[0].follow(stream))
    try:
        await until_words(stream, rng.randint(5, WORDS - 40))
        member = await holder(now.cluster, order.marker)
        happened = now.history.began("inference", "kill", member.name, now.loads[0].running())
        seam.killed = time.monotonic()
        member.kill(rng.uniform(*BACK_SECONDS))
        try:
            async with asyncio.timeout(NEXT_TOKEN_SECONDS):
                took = await seam.token - seam.killed - order.first_ms / 1000
        except TimeoutError:
            took = NEXT_TOKEN_SECONDS
            now.broken("stuck", stream.run_id, f"no token within {took:g} s after its worker was killed")
        await member.until_ready()
        happened.restored = happened.recovered = time.monotonic()
        await living
    finally:
        living.cancel()
    return took


def _row(name: str, values: Sequence[float]) -> tuple[str, ...]:
    numbers = (quantile(values, 0.5), quantile(values, 0.99), max(values))
    return (name, str(len(values)), *(f"{number:.2f} s" for number in numbers))

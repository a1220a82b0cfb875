"""A worker that stands still for longer than its lease, and goes on when another has its answer: it must be silent."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from contracts.ids import MAIN_LANE
from tests.chaos.check.log import read_log
from tests.chaos.client.load import Load, Shape
from tests.chaos.client.stream import Stream
from tests.chaos.model import counting
from tests.chaos.model.counting import Order
from tests.chaos.modes.session import Outcome, Session, session
from tests.chaos.modes.workers import holder, until_seam, until_words
from tests.chaos.options import Options

WORDS, RATE = 500, 20.0  # 25 s: it is still going when the zombie wakes up
MORE_WORDS = 60
"""Of the new worker, before and after the zombie goes on."""


async def run(options: Options, folder: Path, say: Callable[[str], None]) -> Outcome:
    """`--count` times; then the log is read from NATS itself."""
    rng = random.Random(f"{options.seed}/zombie")
    streams: list[Stream] = []
    async with session(options, folder, say) as now:
        load = now.load(Shape(streams=2))
        async with now.under(load):
            for number in range(options.many):
                try:
                    stream = await _one(now, load, rng, number)
                except TimeoutError:
                    now.broken("stuck", f"z{number}", "no worker had the answer")
                    continue
                streams.append(stream)
                say(f"zombie {number + 1} of {options.many}, {stream.model}: {stream.verdict.outcome}")
        outcome = await now.finish()  # reads the whole log, and looks for a message of an earlier attempt
        written = await read_log(now.cluster.nats_urls)
    for stream in streams:
        found = written.get(stream.run_id)
        attempts = sorted(set(found.attempts.get(MAIN_LANE, ()))) if found else []
        if len(attempts) < 2:
            now.broken("log", stream.run_id, f"the log names the attempts {attempts}: a takeover cannot be seen in it")
    seams = sum(stream.verdict.seams for stream in streams)
    outcome.tables.append(f"{len(streams)} workers stood still and went on; {seams} takeovers; none of their words")
    return outcome


async def _one(now: Session, load: Load, rng: random.Random, number: int) -> Stream:
    order = Order(marker=f"z{number}", words=WORDS, rate=RATE)
    model = counting.MODELS[number % len(counting.MODELS)]
    user = load.user("zombie", rng)
    stream = Stream(order, model, user, rng, now.history, now.cluster.record, watchers=2, calm=True)
    living = asyncio.create_task(load.follow(stream))
    try:
        await until_words(stream, rng.randint(5, 40))
        member = await holder(now.cluster, order.marker)
        happened = now.history.began("inference", "pause", member.name, load.running())
        member.pause()
        try:
            try:
                await until_seam(stream)
            except TimeoutError:
                now.broken("stuck", stream.run_id, "nobody took over")
            shown = stream.first.view.lanes["main"].text.count(" ")
            await until_words(stream, shown + rng.randint(1, MORE_WORDS))
        finally:
            member.resume()
        happened.restored = happened.recovered = asyncio.get_running_loop().time()
        await living
    finally:
        living.cancel()
    return stream

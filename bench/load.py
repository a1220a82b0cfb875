"""Opens many streams against one target and says what arrived.

`run` is also the entry for tests: they start a model server and a product of their own, and judge `lost`,
`duplicated`, `out_of_order` and `failed`; times are for measurements.
"""

import asyncio
import gc
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from bench.client import Decoder, read_stream
from bench.statistics import percentile
from bench.streams import NOTHING_MISSING, Completeness, StreamRecord, completeness
from bench.tokens import Order, now_us

DEFAULT_FIRST_TOKEN_MS = 50.0
SETTLE_SECONDS = 0.5
"""After the last start, time before the steady window begins."""
GRACE_SECONDS = 20.0
"""How much longer than planned a measurement may take before its streams count as failed."""
MILLION = 1_000_000


class Endpoint(Protocol):
    """What `run` needs to know of a target."""

    host: str
    port: int

    def request(self, prompt: str) -> bytes:
        """The bytes of one HTTP request that asks for an answer to the prompt, streamed."""
        ...

    def decoder(self) -> Decoder:
        """Reads the `data:` lines of the target's answer."""
        ...


@dataclass(slots=True)
class Result:
    """One measurement: the streams and what follows from them."""

    order: Order
    concurrency: int
    ramp_seconds: float
    streams: list[StreamRecord] = field(default_factory=list)
    start_us: int = 0
    end_us: int = 0

    @property
    def completeness(self) -> Completeness:
        """Of the streams that the target called complete; a failed stream is counted as failed only."""
        whole = (completeness(stream.indexes, stream.tokens) for stream in self.streams if not stream.failed)
        return sum(whole, NOTHING_MISSING)

    @property
    def lost(self) -> int:
        return self.completeness.lost

    @property
    def duplicated(self) -> int:
        return self.completeness.duplicated

    @property
    def out_of_order(self) -> int:
        return self.completeness.out_of_order

    @property
    def failed(self) -> int:
        return sum(stream.failed for stream in self.streams)

    @property
    def restarts(self) -> int:
        return sum(stream.restarts for stream in self.streams)

    @property
    def errors(self) -> Counter[str]:
        return Counter(stream.error for stream in self.streams if stream.error)

    @property
    def delivered(self) -> int:
        """Tokens read."""
        return sum(len(stream.indexes) for stream in self.streams)

    @property
    def delivered_per_second(self) -> float:
        """Tokens per second, from the first start to the last token."""
        last = max((stream.read_us[-1] for stream in self.streams if stream.read_us), default=0)
        return self.delivered * MILLION / (last - self.start_us) if last else 0.0

    def steady_window_us(self) -> tuple[int, int]:
        """All streams are running: from shortly after the last start to the first end."""
        begin = self.start_us + int((self.ramp_seconds + SETTLE_SECONDS) * MILLION)
        return begin, min((s.read_us[-1] for s in self.streams if s.read_us), default=begin)

    def latency_ms(self, fraction: float) -> float:
        return percentile([ms for stream in self.streams for ms in stream.latencies_ms()], fraction)

    def steady_latency_ms(self, fraction: float) -> float:
        window = self.steady_window_us()
        return percentile([ms for stream in self.streams for ms in stream.latencies_ms(*window)], fraction)

    def first_token_ms(self, fraction: float) -> float:
        """Time to first token without the model's own delay: everything that lies between."""
        times = [ms for stream in self.streams if (ms := stream.first_token_ms) is not None]
        return percentile(times, fraction) - self.order.first_token_ms

    def request_ms(self, fraction: float) -> float:
        """The part of the time to first token before the model wrote it, without the model's own delay."""
        times = [ms for stream in self.streams if (ms := stream.request_ms) is not None]
        return percentile(times, fraction) - self.order.first_token_ms


async def run(
    target: Endpoint,
    *,
    concurrency: int = 100,
    rate: float = 50,
    tokens: int = 100,
    runs: int | None = None,
    ramp_seconds: float = 1.0,
    first_token_ms: float = DEFAULT_FIRST_TOKEN_MS,
    grace_seconds: float = GRACE_SECONDS,
) -> Result:
    """`concurrency` streams at a time, `runs` in all (by default one each), started evenly over `ramp_seconds`."""
    order = Order(tokens, rate, first_token_ms)
    total = runs or concurrency
    result = Result(order, concurrency, ramp_seconds)
    loop = asyncio.get_running_loop()
    begin = loop.time()
    deadline = begin + ramp_seconds + order.seconds * -(-total // concurrency) + grace_seconds
    left = iter(range(total))
    request, decode = target.request(order.prompt()), target.decoder()

    async def lane(number: int) -> None:
        await asyncio.sleep(ramp_seconds * number / concurrency)
        for _ in left:
            record = StreamRecord(order.tokens)
            result.streams.append(record)
            await read_stream(target.host, target.port, request, decode, record, deadline)

    gc.collect()
    gc.disable()  # a collection in the load client would be measured as the target's
    try:
        result.start_us = now_us()
        await asyncio.gather(*(lane(number) for number in range(concurrency)))
        result.end_us = now_us()
    finally:
        gc.enable()
    return result

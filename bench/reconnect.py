"""A herd: every watcher of many running answers loses its connection at once, and comes back with its cursor.

Meanwhile a few quick streams go on, to see what the herd does to those who did nothing.
"""

import asyncio
import re
from typing import NamedTuple

from bench.client import read_stream
from bench.load import Result, run
from bench.statistics import percentile
from bench.streams import NOTHING_MISSING, Completeness, StreamRecord, completeness
from bench.targets.product import Endpoint
from bench.tokens import Order, now_us

MICROSECONDS = 1_000_000
RATE = 2.0
"""Tokens per second of one watched answer."""
SECONDS = 40.0
"""How long a watched answer takes."""
RAMP_SECONDS = 20.0
AWAY_SECONDS = 1.0
"""Between the cut and the return, so that everybody has missed something."""
LIVE_STREAMS = 40
LIVE_RATE = 50.0
GRACE_SECONDS = 30.0

_CURSOR = re.compile(rb"^id: *(\S+)", re.MULTILINE)
_RUN = re.compile(rb'"run_id":"([A-Za-z0-9_-]+)"')


class Herd(NamedTuple):
    """What became of it. Times in seconds from the return of all to each one's first missed token."""

    watchers: int
    failed: int
    found: Completeness
    served: list[float]
    live: Result
    errors: list[str]

    def served_seconds(self, fraction: float) -> float:
        return percentile(self.served, fraction)


async def herd(target: Endpoint, watchers: int) -> Herd:
    """Cut and bring back so many watchers at once."""
    order = Order(int(RATE * SECONDS), RATE, 50)
    records = [StreamRecord(order.tokens) for _ in range(watchers)]
    live = asyncio.create_task(
        run(target, concurrency=LIVE_STREAMS, rate=LIVE_RATE, tokens=int(LIVE_RATE * (RAMP_SECONDS + SECONDS)))
    )
    deadline = asyncio.get_running_loop().time() + RAMP_SECONDS + SECONDS + GRACE_SECONDS
    request = target.request(order.prompt())

    async def watch(number: int) -> None:
        await asyncio.sleep(RAMP_SECONDS * number / watchers)
        await read_stream(target.host, target.port, request, target.decoder(), records[number], deadline)

    watching = [asyncio.create_task(watch(number)) for number in range(watchers)]
    await asyncio.sleep(RAMP_SECONDS + SECONDS / 4)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    await asyncio.sleep(AWAY_SECONDS)
    before = [len(record.indexes) for record in records]
    back_us = now_us()
    await asyncio.gather(*(_return(target, record, deadline) for record in records))
    pairs = zip(records, before, strict=True)
    served = [(record.read_us[seen] - back_us) / MICROSECONDS for record, seen in pairs if len(record.read_us) > seen]
    whole = (completeness(record.indexes, record.tokens) for record in records if not record.failed)
    errors = sorted({record.error for record in records if record.error})
    failed = sum(record.failed for record in records)
    return Herd(watchers, failed, sum(whole, NOTHING_MISSING), served, await live, errors)


async def _return(target: Endpoint, record: StreamRecord, deadline: float) -> None:
    run_id, cursor = _RUN.search(record.first_frame), _CURSOR.search(record.last_frame)
    if not (run_id and cursor):
        record.error = record.error or "cut before its first event"
        return
    start_us = record.start_us
    request = target.resume(run_id[1].decode(), cursor[1].decode())
    await read_stream(target.host, target.port, request, target.decoder(), record, deadline)
    record.start_us = start_us

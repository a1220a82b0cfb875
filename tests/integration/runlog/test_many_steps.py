"""A run of fifty steps with three attempts each: 150 lanes, which its beginning does not name.

However it is watched, a step ends after its answer does, and begins after all that it depends on has ended.
"""

from collections.abc import AsyncIterator, Iterator, Sequence

import pytest

from contracts import events
from kit.bus.api import publish_stored
from kit.bus.connection import Bus
from kit.bus.streams import declare_streams
from kit.runlog.follow import Follower
from kit.runlog.lane import RunKey
from kit.runlog.reads import LogMessage, LogReads
from tests.fixtures import assistant_log as log
from tests.fixtures.bus import connected_bus
from tests.fixtures.compare_log import lane_of
from tests.fixtures.servers import Servers
from tests.integration.runlog.folding import fold
from tests.integration.runlog.lane import a_key

LAYERS, SIDE_BY_SIDE, ATTEMPTS = 5, 10, 3
TOTAL = LAYERS * SIDE_BY_SIDE
BUFFER_BYTES = 64 * 1024
SILENCE_SECONDS = 0.3
EVERY = 31
"""Cursors between two that are tried."""


def depends_on(step: int) -> range:
    """All of the layer before; steps are counted from 1."""
    layer = (step - 1) // SIDE_BY_SIDE
    return range(max(0, layer - 1) * SIDE_BY_SIDE + 1, layer * SIDE_BY_SIDE + 1)


def steps() -> Iterator[list[events.Event]]:
    """The events of the steps, by turns within a layer: no lane is told in one piece."""
    for layer in range(LAYERS):
        side = range(layer * SIDE_BY_SIDE + 1, (layer + 1) * SIDE_BY_SIDE + 1)
        for attempt in range(1, ATTEMPTS + 1):
            lanes = {step: log.lane(step, attempt) for step in side}
            yield [log.begun(f"step{step}", lane, attempt) for step, lane in lanes.items()]
            yield [log.started(lane) for lane in lanes.values()]
            yield [log.said(lane, f"half of {lane}, ") for lane in lanes.values()]
            yield [log.said(lane, "and the rest") for lane in lanes.values()]
            last = attempt == ATTEMPTS
            for step, lane in lanes.items():
                text = f"half of {lane}, and the rest"
                ending = log.completed(lane, text) if last else log.failed(lane, text)
                after = log.done if last else log.retrying
                yield [ending, after(f"step{step}", lane, attempt)]


async def write(bus: Bus, key: RunKey, told: Sequence[events.Event]) -> None:
    """Store them; every third lane has a snapshot of its first half."""
    for event in told:
        place = await publish_stored(bus.client, key.lane(lane_of(event)), events.encode(event), headers={})
        if isinstance(event, events.GenerationDelta) and event.text.startswith("half") and place % 3 == 0:
            half = log.snapshot(event.lane, event.text, place)
            await publish_stored(bus.client, key.lane(lane_of(half)), events.encode(half), headers={})


async def told(reads: LogReads, key: RunKey, after: int = 0, *, whole: bool = False) -> list[LogMessage]:
    """What a watcher is told from a place on, until silence or the end."""
    follower = Follower(reads, key, after=after, buffer_bytes=BUFFER_BYTES, whole=whole)
    await follower.start()
    seen: list[LogMessage] = []
    try:
        while not follower.ended and (batch := await follower.next(SILENCE_SECONDS)):
            seen += batch
    finally:
        await follower.close()
    return seen


def assert_in_order(before: Sequence[LogMessage], messages: Sequence[LogMessage]) -> None:
    """`before` is what the client had."""
    answered, completed = set[str](), set[str]()
    for number, message in enumerate([*before, *messages]):
        event = events.decode(message.payload)
        match event:
            case events.GenerationCompleted() | events.GenerationFailed():
                answered.add(event.lane)
            case events.StepStarted():
                step = int(event.step.removeprefix("step"))
                assert {f"step{each}" for each in depends_on(step)} <= completed, (number, event.step)
            case events.StepRetrying() | events.StepCompleted():
                assert event.generation in answered, (number, event.step)
                if isinstance(event, events.StepCompleted):
                    completed.add(event.step)


@pytest.fixture
async def bus(servers: Servers) -> AsyncIterator[Bus]:
    async with connected_bus(servers) as connected:
        await declare_streams(connected.client, 1)
        yield connected


async def test_the_order_of_steps_holds_for_every_watcher(bus: Bus) -> None:
    reads, key = LogReads(bus, 4), a_key()
    await reads.start()
    await write(bus, key, [log.created(key.run, *log.plan(*(f"step{n}" for n in range(1, TOTAL + 1))))])
    for number, batch in enumerate(steps()):
        await write(bus, key, batch)
        if number % 41 == 0:  # who comes while it goes on is told it in short
            assert_in_order((), await told(reads, key))
    await write(bus, key, [log.run_completed(key.run)])

    log_of_it = await told(reads, key, whole=True)
    whole = fold(log_of_it)
    assert len(whole.lanes) == TOTAL * ATTEMPTS
    assert_in_order((), log_of_it)
    short = await told(reads, key)
    assert len(short) < len(log_of_it)
    assert_in_order((), short)
    assert (fold(short).run, fold(short).lanes) == (whole.run, whole.lanes)
    for place in range(0, len(log_of_it), EVERY):
        rest = await told(reads, key, log_of_it[place].sequence)
        assert rest == log_of_it[place + 1 :], place
    for cursor in {message.sequence for message in short} - {0}:  # of a replay: what was told before is left out
        at = max(number for number, message in enumerate(short) if message.sequence == cursor)
        assert_in_order(short[: at + 1], await told(reads, key, cursor))

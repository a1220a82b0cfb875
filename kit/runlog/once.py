"""Writing single events into a lane that may already have them: for orchestrators, whose messages may come twice.

Reads the lane, decides, publishes with the lane's last sequence as expectation; refused means read and decide again.
The bus's deduplication forgets after two minutes, the log does not.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from contracts import events
from contracts.ids import RUN_LANE
from kit.bus.api import EXPECTED_LAST, WRONG_LAST_SEQUENCE, JetStreamError, StoredMessage, last_message, publish_stored
from kit.bus.connection import Bus
from kit.runlog.lane import RunKey
from kit.runlog.reads import LogReads, LogUnavailableError

MAX_TRIES = 10
"""Each refusal means that somebody else wrote, and a lane has few writers."""

_ENDINGS = events.RUN_ENDINGS | events.GENERATION_ENDINGS


@dataclass(frozen=True, slots=True)
class Written:
    """What the lane says after the call. `ours` is False if it was there before, or another ending was."""

    sequence: int
    event: events.Event
    ours: bool


async def read_last(bus: Bus, key: RunKey, lane: str) -> "Last | None":
    """The newest event of a lane, as the leader knows it; None for an empty lane."""
    message = await last_message(bus, "RUNS", key.lane(lane))
    return None if message is None else (message, events.decode(message.data))


@dataclass(frozen=True, slots=True)
class Newest:
    """How far a run's log has come, and whether the run has ended."""

    sequence: int
    ended: bool


async def newest_event(bus: Bus, key: RunKey) -> Newest | None:
    """The newest event of any lane of a run; None if the log has nothing of it. Raises LogUnavailableError."""
    try:
        message = await last_message(bus, "RUNS", key.all_lanes)
    except (TimeoutError, JetStreamError) as error:
        raise LogUnavailableError(repr(error)) from error
    if message is None:
        return None
    ended = message.subject == key.lane(RUN_LANE) and events.event_type(message.data) in events.RUN_ENDINGS
    return Newest(message.sequence, ended)


async def begin_lane(bus: Bus, key: RunKey, event: events.Event) -> None:
    """Write the first event of a lane, unless the lane has begun already."""
    try:
        await _publish(bus, key, event, expected=0)
    except JetStreamError as error:
        if error.code != WRONG_LAST_SEQUENCE:
            raise


async def go_on_lane(bus: Bus, key: RunKey, event: events.Event, *, last: "Last") -> None:
    """Write the event that follows `last`, unless another one does already."""
    try:
        await _publish(bus, key, event, expected=last[0].sequence)
    except JetStreamError as error:
        if error.code != WRONG_LAST_SEQUENCE:
            raise


Last = tuple[StoredMessage, events.Event | None]
"""The newest message of a lane and the event in it, None if its type is not known."""


async def end_lane(bus: Bus, key: RunKey, ending: events.Event, *, last: Last | None = None) -> Written:
    """Write a lane's ending, unless it has one. `last` saves the first look at the lane.

    A lane that had begun by then and is empty now was purged: nothing is written to it.
    Raises TimeoutError, JetStreamError.
    """
    begun = last is not None
    for attempt in range(MAX_TRIES):
        if last is None or attempt:
            last = await read_last(bus, key, ending.lane)
            if last is None and begun:
                return Written(0, ending, ours=False)
        if last is not None and last[1] is not None and events.type_of(last[1]) in _ENDINGS:
            return Written(last[0].sequence, last[1], ours=last[1] == ending)
        try:
            sequence = await _publish(bus, key, ending, expected=last[0].sequence if last else 0)
            return Written(sequence, ending, ours=True)
        except JetStreamError as error:
            if error.code != WRONG_LAST_SEQUENCE:
                raise
    raise TimeoutError(f"the lane {key.lane(ending.lane)} has too many writers")


Told = Sequence[tuple[int, events.Event | None]]
"""A whole lane: its events with their sequences; None stands for a type that is newer than this reader."""


async def end_instead(
    bus: Bus,
    reads: LogReads,
    key: RunKey,
    lane: str,
    ending_of: Callable[[Told], Awaitable[events.GenerationEnding]],
) -> Written:
    """Write the ending that a lane's worker owes, made of what the lane says, unless it has one.

    The fence is where the lane was read to: if a late worker adds a word that somebody may have seen, it is read again.
    Raises LogUnavailableError, TimeoutError, JetStreamError.
    """
    ending: events.GenerationEnding | None = None
    for _ in range(MAX_TRIES):
        told = await reads.lane(key.lane(lane))
        last, newest = told[-1] if told else (0, None)
        if isinstance(newest, events.GenerationEnding):
            return Written(last, newest, ours=newest == ending)  # stored, although its acknowledgement was lost
        ending = await ending_of(told)
        try:
            return Written(await _publish(bus, key, ending, expected=last), ending, ours=True)
        except JetStreamError as error:
            if error.code != WRONG_LAST_SEQUENCE:
                raise
    raise TimeoutError(f"the lane {key.lane(lane)} has too many writers")


async def _publish(bus: Bus, key: RunKey, event: events.Event, expected: int) -> int:
    headers = {EXPECTED_LAST: str(expected)}
    return await publish_stored(bus.client, key.lane(event.lane), events.encode(event), headers=headers)

"""What a client shows of a run: the fold of the events it is told."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from contracts import events
from kit.runlog.lane import SNAPSHOT_SUFFIX, RunKey
from kit.runlog.reads import LogMessage, LogReads


@dataclass
class Lane:
    """What is shown of one generation."""

    text: str = ""
    reasoning: str = ""
    tool_calls: list[events.ToolCall] = field(default_factory=list)
    ending: bytes | None = None

    def take(self, event: events.Event | None, payload: bytes) -> None:
        """One event, as every client must take it."""
        match event:
            case events.GenerationDelta():
                self.text += event.text
            case events.GenerationReasoning():
                self.reasoning += event.text
            case events.GenerationToolCall():
                self.tool_calls.append(events.ToolCall(event.call_id, event.name, event.arguments))
            case events.GenerationRestarted():
                self.text, self.reasoning, self.tool_calls = "", "", []
            case events.GenerationSnapshot():
                assert self.ending is None, "a snapshot behind an ending"
                self._replace(event)
            case events.GenerationCompleted() | events.GenerationFailed() | events.GenerationCancelled():
                assert self.ending is None, "two endings"
                self.ending = payload
                if event.text is not None or event.reasoning is not None or event.tool_calls:
                    self._replace(event)

    def _replace(self, whole: events.Whole) -> None:
        self.text, self.reasoning = whole.text or "", whole.reasoning or ""
        self.tool_calls = list(whole.tool_calls)


@dataclass
class Shown:
    """What is shown of a run."""

    lanes: dict[str, Lane] = field(default_factory=dict)
    run: list[bytes] = field(default_factory=list)

    def take(self, messages: Iterable[LogMessage]) -> "Shown":
        """More of it."""
        for message in messages:
            assert not message.lane.endswith(SNAPSHOT_SUFFIX.encode())
            if message.lane == b"run":
                self.run.append(message.payload)
            else:
                event = events.decode(message.payload)
                self.lanes.setdefault(message.lane.decode(), Lane()).take(event, message.payload)
        return self


def fold(messages: Iterable[LogMessage]) -> Shown:
    """All of it."""
    return Shown().take(messages)


async def whole_log(reads: LogReads, key: RunKey) -> list[LogMessage]:
    """Every message of a run, snapshots too."""
    found: list[LogMessage] = []
    while page := await reads.page(key.all_lanes, found[-1].sequence + 1 if found else 1):
        found += page
    return found


def without_snapshots(messages: Iterable[LogMessage]) -> list[LogMessage]:
    """What a watcher sees who was there from the start."""
    return [message for message in messages if not message.lane.endswith(SNAPSHOT_SUFFIX.encode())]


def snapshots_in(messages: Iterable[LogMessage]) -> list[tuple[str, int, events.GenerationSnapshot]]:
    """The lane, the place and the content of each snapshot."""
    found = []
    for message in messages:
        lane, marked, _ = message.lane.decode().partition(SNAPSHOT_SUFFIX)
        if marked:
            event = events.decode(message.payload)
            assert isinstance(event, events.GenerationSnapshot)
            assert event.lane == lane
            found.append((lane, message.sequence, event))
    return found


def is_true(lane: str, place: int, snapshot: events.GenerationSnapshot, log: list[LogMessage]) -> bool:
    """It says what its lane says up to the place it names, and that place comes before its own."""
    if snapshot.covers >= place or not any(m.sequence == snapshot.covers and m.lane == lane.encode() for m in log):
        return False
    said = fold(m for m in log if m.lane == lane.encode() and m.sequence <= snapshot.covers).lanes[lane]
    words = (snapshot.text or "", snapshot.reasoning or "", list(snapshot.tool_calls))
    return words == (said.text, said.reasoning, said.tool_calls)

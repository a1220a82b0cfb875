"""What a lane says as far as the log has acknowledged it, and when that is worth a snapshot.

A snapshot is the fold of its lane up to the place `covers`, made from what was acknowledged and from nothing else. So
it is true whenever it is stored and whoever stores it, and a snapshot followed by the lane after `covers` is a whole
replay: also when the lane began again in between, since what follows says so.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from contracts import events
from kit.bus.blobs import Blobs
from kit.bus.streams import MAX_MESSAGE_BYTES
from kit.clock import now_ms
from kit.growing_text import GrowingText

FIRST_CHARACTERS = 256
"""Of text and reasoning, before the first snapshot: what is shorter is read whole in a few messages."""
GROWTH = 1.5
"""From one snapshot to the next. Together they are three times as long as the text; what a reader has to read after
the newest is at most a third of it."""
MAX_EVENT_BYTES = MAX_MESSAGE_BYTES - 4096
"""With its headers it fits into the stream's message size; beyond NATS's own limit the connection would be cut."""


class Words(Protocol):
    """What a lane says already when somebody goes on with it."""

    @property
    def text(self) -> str:
        """Of the answer."""

    @property
    def reasoning(self) -> str:
        """Before and between."""

    @property
    def tool_calls(self) -> tuple[events.ToolCall, ...]:
        """All of them."""


class Snapshots:
    """The fold of one lane, and the snapshot that waits to be published."""

    def __init__(self, lane: str, before: Words, keep: Callable[[events.GenerationSnapshot], None]) -> None:
        """`keep` is given what is too long for a message, and calls `kept` when its texts are elsewhere."""
        self.waiting: bytes | None = None
        """Goes out at the lane's next turn."""
        self._lane, self._keep = lane, keep
        self._text, self._reasoning = GrowingText(before.text), GrowingText(before.reasoning)
        self._tool_calls = list(before.tool_calls)
        self._started: events.GenerationStarted | None = None
        self._characters = len(before.text) + len(before.reasoning)
        self._due = FIRST_CHARACTERS  # a lane that somebody goes on with has a new one soon
        self._keeping = self._ended = False

    def stored(self, event: events.Event, sequence: int) -> None:
        """The lane's next event is acknowledged."""
        if isinstance(event, events.GenerationDelta):
            self._text.add(event.text)
        elif isinstance(event, events.GenerationReasoning):
            self._reasoning.add(event.text)
        else:
            self._other(event)
            return
        self._characters += len(event.text)
        if self._characters >= self._due and self._started is not None and not self._keeping:
            self._take(self._started, sequence)

    def _other(self, event: events.Event) -> None:
        match event:
            case events.GenerationStarted():
                self._started = event
            case events.GenerationToolCall():
                self._tool_calls.append(events.ToolCall(event.call_id, event.name, event.arguments))
            case events.GenerationRestarted():
                self._text, self._reasoning, self._tool_calls = GrowingText(), GrowingText(), []
                self._characters, self._due = 0, FIRST_CHARACTERS
            case events.GenerationCompleted() | events.GenerationFailed() | events.GenerationCancelled():
                self._ended, self.waiting = True, None

    def _take(self, started: events.GenerationStarted, sequence: int) -> None:
        self._due = int(self._characters * GROWTH)
        snapshot = events.GenerationSnapshot(
            lane=self._lane,
            at=now_ms(),
            attempt=started.attempt,
            model=started.model,
            provider=started.provider,
            text=self._text.whole(),
            reasoning=self._reasoning.whole() or None,
            tool_calls=tuple(self._tool_calls),
            covers=sequence,
        )
        payload = events.encode(snapshot)
        if len(payload) <= MAX_EVENT_BYTES:
            self.waiting = payload
        else:
            self._keeping = True
            self._keep(snapshot)

    def kept(self, payload: bytes | None) -> None:
        """The snapshot that was too long, with references for texts; None if it could not be kept."""
        self._keeping = False
        if not self._ended:  # the fence alone would let it in behind the ending, which is this writer's own
            self.waiting = payload


async def by_reference(snapshot: events.GenerationSnapshot, run: str, blobs: Blobs) -> bytes | None:
    """A long snapshot as a message that refers to its texts; None if it is too long even so."""
    name = f"{run}.{snapshot.lane}.{snapshot.attempt}.{snapshot.covers}"
    text, text_ref = await blobs.inline_or_kept(f"{name}.text", snapshot.text or "")
    reasoning, reasoning_ref = await blobs.inline_or_kept(f"{name}.reasoning", snapshot.reasoning or "")
    payload = events.encode(
        msgspec.structs.replace(
            snapshot, text=text, text_ref=text_ref, reasoning=reasoning or None, reasoning_ref=reasoning_ref
        )
    )
    return payload if len(payload) <= MAX_EVENT_BYTES else None

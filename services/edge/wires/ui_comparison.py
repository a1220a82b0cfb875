"""A comparison as a UI message stream of the Vercel AI SDK, versions 5 to 7: one message, a slot for each lane.

Each lane has parts of its own, told as they come; `data-slot` parts say how each does. A lane that fails says so in
its slot: an `error` part would end the others for the client. The cursor is as in services/edge/wires/ui_message.py.
"""

import re
from collections.abc import Sequence
from typing import Any

from contracts import events
from kit.runlog.cursor import Cursor, parse_cursor
from kit.runlog.reads import LogMessage
from services.edge.wires.telling import noticed, stopping
from services.edge.wires.ui_cursor import PLACE, STATE, Shown, parse_shown, shown, tag_of
from services.edge.wires.ui_message import HEADERS
from services.edge.wires.ui_parts import DONE, frame, with_cursor
from services.edge.wires.ui_slot import Slot
from services.edge.wires.wire import SSE_HEARTBEAT, OnePart

_LANE = re.compile(rf"([0-9a-f]{{1,8}})\.{STATE}", re.ASCII)
_FORM = re.compile(rf"{PLACE}((?:_{_LANE.pattern})*)", re.ASCII)


class UiComparisonWire(OnePart):
    """Tells a comparison to one client."""

    headers = HEADERS
    heartbeat = SSE_HEARTBEAT
    whole = False
    complete = False
    resumes = False

    def __init__(self, last_event_id: str | None = None) -> None:
        """`last_event_id` is what the client sent; it counts for the run it belongs to."""
        self._sent = _parse(last_event_id) if last_event_id else None
        self._epoch = self._tag = ""
        self._slots: dict[str, Slot] = {}  # by the tag of the lane
        self._started = self._done = False

    @property
    def breaks_off(self) -> bool:
        """A client takes any clean end for the end of the message."""
        return not self._done

    def resume(self, run_id: str) -> Cursor | None:
        """The place in the log that the client's cursor names, if that is of this run: then it has the rest."""
        self._tag = tag_of(run_id)
        if self._sent is None or self._sent[1] != self._tag:
            return None
        place, _, lanes = self._sent
        self._started = True
        for number, (tag, state) in enumerate(lanes):
            slot = self._slots[tag] = Slot(number)
            state.give(slot.lane, slot.parts)
        return place

    def open(self, epoch: str, reset: str = "") -> bytes:
        """Nothing: what a client has of a run that is told anew is not told again."""
        self._epoch = epoch
        if reset:
            for slot in self._slots.values():
                if slot.lane.finish is None:  # of the others nothing is told any more
                    slot.lane.begin_anew()
        return b""

    def frames(self, messages: Sequence[LogMessage]) -> bytes:
        """What the events add, each with its cursor."""
        return b"".join([self._frame(message) for message in messages])

    def leaving(self, milliseconds: int) -> bytes:
        """A notice; what makes clients come back is the cut behind it."""
        return self.ended() if self._done else self._notice(stopping(milliseconds))

    def ended(self) -> bytes:
        """What the SDK's own servers end with."""
        return DONE if self._done else b""

    def _frame(self, message: LogMessage) -> bytes:
        event = events.decode(message.payload)
        told = b"" if event is None else self._tell(event)
        if not told or not self._started:
            return told
        held = any(slot.lane.held for slot in self._slots.values())
        place = Cursor(self._epoch, 0 if held else message.sequence)
        lanes = [f"_{tag}.{shown(slot.lane, slot.parts)}" for tag, slot in self._slots.items()]
        return with_cursor(told, f"{place}-{self._tag}{''.join(lanes)}")

    def _tell(self, event: events.Event) -> bytes:
        match event:
            case events.RunCreated():
                return self._created(event)
            case events.RunCompleted():
                return self._over({"type": "finish", "finishReason": "stop"})
            case events.RunFailed():
                return self._over({"type": "error", "errorText": event.error.message})
            case events.RunCancelled():
                return self._over({"type": "abort"})
        slot = self._slots.get(tag_of(event.lane))
        if isinstance(event, events.Notice):
            return self._notice({**noticed(event), **({"slot": slot.number} if slot else {})})
        if slot is None:
            return b""
        slot.name(event.lane, "")
        return slot.take(event)

    def _created(self, event: events.RunCreated) -> bytes:
        slots = []
        for number, plan in enumerate(event.generations):
            slot = self._slots.setdefault(tag_of(plan.lane), Slot(number))
            slot.name(plan.lane, plan.model)
            slots.append(slot)
        if self._started:
            return b""
        self._started = True
        metadata: dict[str, Any] = {"runId": event.run_id}
        if event.blind:
            metadata["blind"] = True
        if event.parent_run_id:
            metadata["parentRunId"] = event.parent_run_id
        start = frame({"type": "start", "messageId": event.run_id, "messageMetadata": metadata})
        return start + frame({"type": "start-step"}) + b"".join([slot.queued() for slot in slots])

    def _over(self, last: dict[str, Any]) -> bytes:
        self._done = True
        told = b"".join([slot.parts.close() for slot in self._slots.values()])
        return told + frame({"type": "finish-step"}) + frame(last)

    def _notice(self, notice: dict[str, Any]) -> bytes:
        return frame({"type": "data-notice", "data": notice, "transient": True})


def _parse(text: str) -> tuple[Cursor, str, list[tuple[str, Shown]]] | None:
    match = _FORM.fullmatch(text.strip())
    place = parse_cursor(match[1]) if match else None
    if match is None or place is None:
        return None
    lanes = [(found[1], parse_shown(found.groups()[1:])) for found in _LANE.finditer(match[3])]
    return place, match[2], lanes

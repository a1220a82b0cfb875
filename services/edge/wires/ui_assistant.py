"""An assistant's run as a UI message stream of the Vercel AI SDK, versions 5 to 7: one message with all its steps.

What happens to a step is a `data-step` part, replaced in place; its answer is text and reasoning parts, which name
their lane. Steps that run side by side share one step of the SDK: its end closes every part that is open. A step that
fails says so in its part: an `error` part would end the others for the client.

The cursor is the SSE `id:`, as in services/edge/wires/ui_message.py. Where everything is told anew, the run's own
events that the client has are known by their number, and answers by their lanes.
"""

from collections.abc import Sequence
from typing import Any

from contracts import events
from contracts.ids import RUN_LANE
from kit.runlog.cursor import Cursor
from kit.runlog.reads import LogMessage
from services.edge.wires.telling import noticed, stopping, usage_of
from services.edge.wires.ui_assistant_cursor import AssistantCursor, Over, parse_assistant_cursor
from services.edge.wires.ui_cursor import shown, tag_of
from services.edge.wires.ui_message import HEADERS
from services.edge.wires.ui_parts import DONE, frame, with_cursor
from services.edge.wires.ui_step import Attempt, Place, place_of, step_data
from services.edge.wires.wire import SSE_HEARTBEAT, OnePart


class UiAssistantWire(OnePart):
    """Tells an assistant's run to one client."""

    headers = HEADERS
    heartbeat = SSE_HEARTBEAT
    whole = False
    complete = False
    resumes = False

    def __init__(self, last_event_id: str | None = None) -> None:
        """`last_event_id` is what the client sent; it counts for the run it belongs to."""
        self._sent = parse_assistant_cursor(last_event_id) if last_event_id else None
        self._epoch = self._tag = ""
        self._told = self._known = 0  # the run's own events: that the client has, and that it is told once more
        self._going: dict[Place, Attempt] = {}
        self._over = Over()
        self._started = self._done = False

    @property
    def breaks_off(self) -> bool:
        """A client takes any clean end for the end of the message."""
        return not self._done

    def resume(self, run_id: str) -> Cursor | None:
        """The place in the log that the client's cursor names, if that is of this run: then it has the rest."""
        self._tag, sent = tag_of(run_id), self._sent
        if sent is None or sent.tag != self._tag:
            return None
        self._started, self._told, self._over = True, sent.told, sent.over
        for place, state in sent.going.items():
            attempt = self._going[place] = Attempt(place)
            state.give(attempt.lane, attempt.parts)
        return sent.place

    def open(self, epoch: str, reset: str = "") -> bytes:
        """Nothing: what a client has of a run that is told anew is not told again."""
        self._epoch = epoch
        if reset:
            same = self._sent is not None and self._sent.place.epoch == epoch
            self._known = self._told if same else 0  # another log may have others
            for attempt in self._going.values():
                if attempt.lane.finish is None:  # of the others nothing is told any more
                    attempt.lane.begin_anew()
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
        if event is None:
            return b""
        told = self._of_the_run(event) if event.lane == RUN_LANE else self._of_a_step(event)
        if not told or not self._started:
            return told
        held = any(attempt.lane.held for attempt in self._going.values())
        place = Cursor(self._epoch, 0 if held else message.sequence)
        going = {each: shown(attempt.lane, attempt.parts) for each, attempt in self._going.items()}
        return with_cursor(told, AssistantCursor(place, self._tag, self._told, self._over, going))

    def _of_the_run(self, event: events.Event) -> bytes:
        if self._known and not isinstance(event, events.RunEnding):
            self._known -= 1
            return b""
        self._told += 1
        match event:
            case events.RunCreated():
                return self._created(event)
            case events.RunCompleted():
                return self._ended(event, {"type": "finish", "finishReason": "stop"})
            case events.RunFailed():
                return self._ended(event, {"type": "error", "errorText": event.error.message})
            case events.RunCancelled():
                return self._ended(event, {"type": "abort"})
            case events.Notice():
                return self._notice(noticed(event))
            case _:
                return self._step(event) if isinstance(event, events.StepEvent) else b""

    def _of_a_step(self, event: events.Event) -> bytes:
        place = place_of(event.lane)
        if place is None or place in self._over:
            return b""
        if isinstance(event, events.Notice):
            return self._notice({**noticed(event), "lane": event.lane})
        begun, attempt = self._begin(place)
        return begun + attempt.take(event)

    def _created(self, event: events.RunCreated) -> bytes:
        if self._started:
            return b""
        self._started = True
        metadata = {
            "runId": event.run_id,
            "assistantId": event.assistant_id,
            "assistantVersion": event.assistant_version,
            "name": event.name,
            "parentRunId": event.parent_run_id,
            "steps": [_planned(plan) for plan in event.steps],
        }
        known = {name: value for name, value in metadata.items() if value is not None}
        return frame({"type": "start", "messageId": event.run_id, "messageMetadata": known})

    def _step(self, event: events.StepEvent) -> bytes:
        lane = getattr(event, "generation", None)
        place = place_of(lane) if lane else None
        data = frame({"type": "data-step", "id": f"step-{event.step}", "data": step_data(event)})
        if place is None:
            return data
        if isinstance(event, events.StepStarted):
            return (b"" if place in self._over else self._begin(place)[0]) + data
        self._over.add(place)
        attempt = self._going.pop(place, None)
        if attempt is None:
            return data
        last = attempt.void() if isinstance(event, events.StepRetrying) else attempt.parts.close()
        return last + data + (b"" if self._going else frame({"type": "finish-step"}))

    def _begin(self, place: Place) -> tuple[bytes, Attempt]:
        """An attempt, and what begins with it: an earlier run's answer comes without a `step.started`."""
        known = self._going.get(place)
        if known is not None:
            return b"", known
        first = not self._going
        attempt = self._going[place] = Attempt(place)
        return frame({"type": "start-step"}) if first else b"", attempt

    def _ended(self, event: events.RunEnding, last: dict[str, Any]) -> bytes:
        self._done = True
        told = b"".join([attempt.parts.close() for attempt in self._going.values()])
        told += frame({"type": "finish-step"}) if self._going else b""
        self._going = {}
        metadata: dict[str, Any] = {} if event.usage is None else {"usage": usage_of(event.usage)}
        if event.cost_usd is not None:
            metadata["costUsd"] = event.cost_usd
        told += frame({"type": "message-metadata", "messageMetadata": metadata}) if metadata else b""
        return told + frame(last)

    def _notice(self, notice: dict[str, Any]) -> bytes:
        return frame({"type": "data-notice", "data": notice, "transient": True})


def _planned(plan: events.StepPlan) -> dict[str, Any]:
    told: dict[str, Any] = {"step": plan.step, "name": plan.name, "model": plan.model, "dependsOn": plan.depends_on}
    return told | ({"approval": True} if plan.approval else {})

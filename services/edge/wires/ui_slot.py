"""One lane of a comparison in a UI message stream: its parts, and a data part that says how it does."""

from typing import Any

from contracts import events
from services.edge.wires.lane import FINISH, Lane
from services.edge.wires.telling import metadata_of
from services.edge.wires.ui_parts import UiParts, frame

STATUS = {
    events.GenerationCompleted: "completed",
    events.GenerationFailed: "failed",
    events.GenerationCancelled: "cancelled",
}


class Slot:
    """A place beside others. Its number is the lane's in the plan: a client keeps it, whoever answers."""

    def __init__(self, number: int) -> None:
        """A place of which nothing is known yet; its lane is named by the plan, or by its events."""
        self.number = number
        self.parts = UiParts(f"slot-{number}-", {"slot": number})
        self.lane = Lane(self.parts)
        self._running = False

    def name(self, lane: str, model: str) -> None:
        """Whose it is. In a blind comparison there is no model."""
        if lane:
            self.parts.said_of["lane"] = lane
        if model:
            self.parts.said_of["model"] = model

    def queued(self) -> bytes:
        """It is there, and has not begun."""
        return self._data({"status": "queued"})

    def take(self, event: events.Event) -> bytes:
        """What an event of its lane adds; nothing behind the ending."""
        if self.lane.finish is not None:
            return b""
        match event:
            case events.GenerationDelta():
                return self.lane.add("text", event.text)
            case events.GenerationReasoning():
                return self.lane.add("reasoning", event.text)
            case events.GenerationRestarted():
                self.lane.begin_anew()
                return b""
            case events.GenerationStarted():
                return self._begun(event.model)
            case events.GenerationSnapshot():
                return self._begun(event.model) + self.lane.whole(event)
            case events.GenerationCompleted() | events.GenerationFailed() | events.GenerationCancelled():
                return self._ended(event)
            case _:
                return b""

    def _begun(self, model: str) -> bytes:
        self.name("", model)
        if self._running:
            return b""
        self._running = True
        return self._data({"status": "running"})

    def _ended(self, event: events.GenerationEnding) -> bytes:
        self.name("", event.model)
        how: dict[str, Any] = {"status": STATUS[type(event)], **metadata_of(event)}
        if isinstance(event, events.GenerationCompleted):
            how["finishReason"] = FINISH[event.finish_reason]
        if (timings := event.timings) is not None:
            how["timings"] = {
                "queuedMs": timings.queued_ms,
                "firstTokenMs": timings.first_token_ms,
                "totalMs": timings.total_ms,
            }
        if isinstance(event, events.GenerationFailed):
            how["error"] = {"code": event.error.code, "message": event.error.message}
        return self.lane.end(event) + self.parts.close() + self._data(how)

    def _data(self, how: dict[str, Any]) -> bytes:
        """It replaces the one before in the client's message."""
        of = {name: value for name, value in self.parts.said_of.items() if name != "slot"}
        return frame({"type": "data-slot", "id": f"slot-{self.number}", "data": {**of, **how}})

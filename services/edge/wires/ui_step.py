"""One attempt of a step in a UI message stream: its parts, and the bill when it has ended."""

import re
from typing import Any

from contracts import events
from services.edge.wires.lane import FINISH, Kind, Lane
from services.edge.wires.telling import metadata_of
from services.edge.wires.ui_parts import UiParts, frame

_NAME = re.compile(r"s([1-9]\d{0,3})_([1-9]\d?)", re.ASCII)
_KINDS: tuple[Kind, ...] = ("text", "reasoning")

Place = tuple[int, int]
"""Of a lane: the step's place in the plan, from 1, and the attempt."""


def place_of(lane: str) -> Place | None:
    """From a lane's name; None if it is not one of a step's answer."""
    match = _NAME.fullmatch(lane)
    return (int(match[1]), int(match[2])) if match else None


class Attempt:
    """A step's answer, or one that did not count. Its parts are known by the lane."""

    def __init__(self, place: Place) -> None:
        self.name = f"s{place[0]}_{place[1]}"
        self.parts = UiParts(f"{self.name}-", {"lane": self.name})
        self.lane = Lane(self.parts)

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
            case events.GenerationSnapshot():
                return self.lane.whole(event)
            case events.GenerationCompleted() | events.GenerationFailed() | events.GenerationCancelled():
                return self._ended(event)
            case _:
                return b""

    def void(self) -> bytes:
        """Nothing that it said counts."""
        told = self.parts.close()
        shown = {"text": self.lane.text.length, "reasoning": self.lane.reasoning.length}
        return told + b"".join([self.parts.taken_back(kind) for kind in _KINDS if shown[kind]])

    def _ended(self, event: events.GenerationEnding) -> bytes:
        bill: dict[str, Any] = {"lane": self.name, **metadata_of(event)}
        if isinstance(event, events.GenerationCompleted):
            bill["finishReason"] = FINISH[event.finish_reason]
        if (timings := event.timings) is not None:
            bill["timings"] = {
                "queuedMs": timings.queued_ms,
                "firstTokenMs": timings.first_token_ms,
                "totalMs": timings.total_ms,
            }
        told = self.lane.end(event) + self.parts.close()
        return told + frame({"type": "data-usage", "id": f"usage-{self.name}", "data": bill})


def step_data(event: events.StepEvent) -> dict[str, Any]:
    """How a step does, in the SDK's style."""
    data: dict[str, Any] = {
        "step": event.step,
        "status": _STATUS[type(event)],
        "done": event.done,
        "total": event.total,
    }
    match event:
        case events.StepStarted():
            data |= {"attempt": event.attempt, "lane": event.generation, "model": event.model}
        case events.StepRetrying():
            data |= {"attempt": event.attempt, "lane": event.generation, "delayMs": event.delay_ms}
            data |= {"error": _error(event.error)}
        case events.StepCompleted():
            data |= {"attempt": event.attempt, "lane": event.generation}
            data |= _source(event.source)
        case events.StepFailed():
            data |= {"attempt": event.attempt, "error": _error(event.error), "policy": event.policy}
            data |= {"lane": event.generation} if event.generation else {}
            data |= _source(event.source)
        case events.StepSkipped():
            data |= {"reason": event.reason}
        case events.StepCancelled():
            data |= {"attempt": event.attempt, **({"lane": event.generation} if event.generation else {})}
        case events.ApprovalRequested():
            data |= {"instructions": event.instructions}
            data |= {"expiresAt": event.expires_at} if event.expires_at is not None else {}
        case events.ApprovalDecided():
            data |= {"status": "ready" if event.approved else "rejected", "comment": event.comment}
            data |= {"by": event.by} if event.by is not None else {}
    return data


_STATUS: dict[type, str] = {
    events.StepStarted: "running",
    events.StepRetrying: "retrying",
    events.StepCompleted: "completed",
    events.StepFailed: "failed",
    events.StepSkipped: "skipped",
    events.StepCancelled: "cancelled",
    events.ApprovalRequested: "approval",
    events.ApprovalDecided: "ready",
}
"""Those of GET /v1/runs/{id}/steps, and `rejected`, which a failure follows."""


def _error(error: events.Error) -> dict[str, Any]:
    return {"code": error.code, "message": error.message}


def _source(source: events.LaneSource | None) -> dict[str, Any]:
    return {} if source is None else {"source": {"runId": source.run_id, "lane": source.lane}}

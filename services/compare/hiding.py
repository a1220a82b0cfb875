"""What nobody is told of a blind comparison before the vote: values in, values out."""

from typing import Any

import msgspec

from contracts import events
from contracts.compare import ComparedLane
from services.compare.models import LaneRow

UNFINISHED = events.Error("lane_failed", "This answer could not be finished.")


def hidden_event(event: events.Event) -> events.Event:
    """An event of a replay without anything that tells one model from another."""
    match event:
        case events.RunCreated():
            plans = tuple(events.GenerationPlan(plan.lane, "", plan.source) for plan in event.generations)
            return msgspec.structs.replace(event, generations=plans)
        case events.GenerationCompleted():
            return events.GenerationCompleted(**_shared(event), provider="", finish_reason="stop")
        case events.GenerationCancelled():
            return events.GenerationCancelled(**_shared(event))
        case events.GenerationFailed():
            return events.GenerationFailed(**_shared(event), error=UNFINISHED)
        case events.RunCompleted() | events.RunFailed() | events.RunCancelled():
            lanes = tuple(events.LaneSummary(lane.lane, lane.outcome) for lane in event.lanes)
            return msgspec.structs.replace(event, lanes=lanes)
        case _:
            raise ValueError(f"{events.type_of(event)} is not part of a replay")


def _shared(ending: events.GenerationEnding) -> dict[str, Any]:
    """Of an ending only what was said, and how often somebody had to begin."""
    return {"lane": ending.lane, "at": 0, "attempt": ending.attempt, "model": "", "text": ending.text}


def hidden_lane(lane: LaneRow, text: str | None) -> ComparedLane:
    """A lane of which nobody knows whose it is."""
    return ComparedLane(lane=lane.lane, status=lane.status, text=text)

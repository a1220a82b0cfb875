"""What is told of a blind comparison before its vote: the words and the endings, and nothing that says whose they are.

Each event is made anew of what may be told, so that a field that an event gets later is hidden until somebody decides
otherwise. What stays is stated in docs/compare.md: the text itself, and the rhythm in which it arrives.
"""

from contracts import events
from kit.runlog.reads import LogMessage

LANE_ERROR = events.Error("lane_failed", "This answer could not be finished.")
RUN_ERROR = events.Error("comparison_failed", "This comparison could not be finished.")
ALL_FAILED = events.Error("all_lanes_failed", "No model has answered.")
RETRYING = "retrying"
WAITING = "This answer takes longer than usual."


def redact(message: LogMessage) -> LogMessage | None:
    """The message with the event as it may be told, at the same place; None if nothing of it may."""
    event = events.decode(message.payload)
    told = None if event is None else redacted(event)
    return None if told is None else message._replace(payload=events.encode(told))


def redacted(event: events.Event) -> events.Event | None:
    """The event as it may be told; None if nothing of it may. Told again it is the same."""
    match event:
        case events.GenerationDelta():
            return events.GenerationDelta(lane=event.lane, at=0, text=event.text)
        case events.GenerationSnapshot() | events.GenerationCompleted():
            return _whole(event)
        case events.GenerationFailed() | events.GenerationCancelled():
            return _broken(event)
        case events.GenerationStarted():
            return events.GenerationStarted(lane=event.lane, at=0, attempt=event.attempt, model="", provider="")
        case events.GenerationResumed():
            return events.GenerationResumed(lane=event.lane, at=0, attempt=event.attempt, mode="continue")
        case events.GenerationRestarted():
            return events.GenerationRestarted(lane=event.lane, at=0, attempt=event.attempt)
        case events.Notice():
            return events.Notice(lane=event.lane, at=0, code=RETRYING, message=WAITING)
        case _:
            return _of_the_run(event)


def _whole(event: events.GenerationSnapshot | events.GenerationCompleted) -> events.Event:
    lane, attempt, text, text_ref = event.lane, event.attempt, event.text, event.text_ref
    if isinstance(event, events.GenerationCompleted):
        return events.GenerationCompleted(
            lane=lane, at=0, attempt=attempt, model="", provider="", text=text, text_ref=text_ref, finish_reason="stop"
        )
    return events.GenerationSnapshot(
        lane=lane, at=0, attempt=attempt, model="", provider="", text=text, text_ref=text_ref, covers=event.covers
    )


def _broken(event: events.GenerationFailed | events.GenerationCancelled) -> events.Event:
    lane, attempt, text, text_ref = event.lane, event.attempt, event.text, event.text_ref
    if isinstance(event, events.GenerationFailed):
        return events.GenerationFailed(
            lane=lane, at=0, attempt=attempt, model="", text=text, text_ref=text_ref, error=LANE_ERROR
        )
    return events.GenerationCancelled(lane=lane, at=0, attempt=attempt, model="", text=text, text_ref=text_ref)


def _of_the_run(event: events.Event) -> events.Event | None:
    match event:
        case events.RunCreated():
            return events.RunCreated(
                lane=event.lane,
                at=event.at,
                run_id=event.run_id,
                kind=event.kind,
                generations=tuple(events.GenerationPlan(plan.lane, "", plan.source) for plan in event.generations),
                parent_run_id=event.parent_run_id,
                blind=True,
            )
        case events.RunQueued():
            return events.RunQueued(lane=event.lane, at=event.at, run_id=event.run_id, ahead=event.ahead)
        case events.RunCompleted() | events.RunCancelled():
            kind = type(event)
            return kind(lane=event.lane, at=event.at, run_id=event.run_id, ends=event.ends, lanes=_lanes(event))
        case events.RunFailed():
            return events.RunFailed(
                lane=event.lane,
                at=event.at,
                run_id=event.run_id,
                ends=event.ends,
                lanes=_lanes(event),
                error=ALL_FAILED if event.error.code == ALL_FAILED.code else RUN_ERROR,
            )
        case _:
            return None


def _lanes(event: events.RunEnding) -> tuple[events.LaneSummary, ...]:
    return tuple(events.LaneSummary(lane.lane, lane.outcome) for lane in event.lanes)

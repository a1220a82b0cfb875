"""The decisions of compare: values in, values out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts import events
from contracts.chat import RunStatus
from contracts.content import Turn
from contracts.ids import RUN_LANE
from kit.orchestrate import wording
from kit.orchestrate.moments import milliseconds, moment
from kit.orchestrate.wording import without_nul
from kit.runlog.outcome import outcome_of, usage_values
from services.compare.models import Compared, LaneRow, RunRow

KIND = "compare"
SPEED_DIGITS = 2
ALL_FAILED = events.Error("all_lanes_failed", "No model has answered.")
MILLISECONDS_PER_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ends."""

    status: RunStatus
    error: events.Error | None = None


def result_of(lanes: Sequence[LaneRow], *, stopped: bool) -> Result | None:
    """How a run ends whose lanes are these; None while one goes on. `stopped`: somebody has stopped the whole run.

    One answer is enough. Without any, it was cancelled if somebody wanted that: of the run, or of every lane.
    """
    found = {lane.status for lane in lanes}
    if "running" in found:
        return None
    if "completed" in found:
        return Result("completed")
    if stopped or found == {"cancelled"}:
        return Result("cancelled")
    return Result("failed", ALL_FAILED)


def end_at_once(compared: Compared) -> None:
    """End a run that begins with an ending of every lane: nobody will ever tell of one."""
    run = compared.run
    result = result_of(compared.lanes, stopped=False)
    if result is not None:
        run.status, run.error, run.ended_at = result.status, problem_of(result.error), run.created_at


def tokens_per_second(usage: events.Usage | None, timings: events.Timings | None) -> float | None:
    """Output tokens by the time since the first one; None where that cannot be told."""
    if usage is None or timings is None or timings.first_token_ms is None or usage.output_tokens <= 0:
        return None
    took = timings.total_ms - timings.first_token_ms
    return None if took <= 0 else round(usage.output_tokens * MILLISECONDS_PER_SECOND / took, SPEED_DIGITS)


def end_lane(lane: LaneRow, ending: events.GenerationEnding, text: str, reasoning: str) -> None:
    """Write into a lane's row how it has ended; NUL cannot be stored and is dropped."""
    lane.status = outcome_of(ending)
    lane.text, lane.reasoning = without_nul(text), without_nul(reasoning) or None
    lane.provider, lane.attempt = ending.provider, ending.attempt
    lane.finish_reason = ending.finish_reason if isinstance(ending, events.GenerationCompleted) else None
    lane.error = _problem(ending.error) if isinstance(ending, events.GenerationFailed) else None
    lane.usage = usage_values(ending.usage)
    lane.cost_usd = ending.cost_usd
    if ending.timings is not None:
        lane.queued_ms, lane.total_ms = ending.timings.queued_ms, ending.timings.total_ms
        lane.first_token_ms = ending.timings.first_token_ms
    lane.tokens_per_second = tokens_per_second(ending.usage, ending.timings)
    lane.ended_at = moment(ending.at)


def ending_of(lane: LaneRow) -> events.GenerationEnding:
    """The ending of a lane as its row tells it, with its whole text."""
    common: dict[str, Any] = {
        "lane": lane.lane,
        "at": 0 if lane.ended_at is None else milliseconds(lane.ended_at),
        "attempt": lane.attempt or 0,
        "model": lane.model,
        "text": lane.text,
        "reasoning": lane.reasoning,
        "usage": usage_of(lane),
        "timings": timings_of(lane),
        "cost_usd": lane.cost_usd,
    }
    if lane.status == "completed":
        reason: Any = lane.finish_reason or "stop"
        return events.GenerationCompleted(**common, provider=lane.provider or "", finish_reason=reason)
    if lane.status == "cancelled":
        return events.GenerationCancelled(**common, provider=lane.provider)
    return events.GenerationFailed(**common, provider=lane.provider, error=_error(lane.error))


def usage_of(lane: LaneRow) -> events.Usage | None:
    """The tokens of a lane."""
    return None if lane.usage is None else events.Usage(**lane.usage)


def timings_of(lane: LaneRow) -> events.Timings | None:
    """The times of a lane."""
    if lane.queued_ms is None or lane.total_ms is None:
        return None
    return events.Timings(lane.queued_ms, lane.first_token_ms, lane.total_ms)


def created_event(run: RunRow, lanes: Sequence[LaneRow]) -> events.RunCreated:
    """The first event of a run; the same whenever it is made."""
    return events.RunCreated(
        lane=RUN_LANE,
        at=milliseconds(run.created_at),
        run_id=run.id,
        kind=KIND,
        generations=tuple(events.GenerationPlan(lane.lane, lane.model, _source(lane)) for lane in lanes),
        parent_run_id=run.parent_run_id,
        blind=run.blind,
    )


def _source(lane: LaneRow) -> events.LaneSource | None:
    if lane.origin_run_id is None or lane.origin_lane is None:
        return None
    return events.LaneSource(lane.origin_run_id, lane.origin_lane)


def summary(lane: LaneRow) -> events.LaneSummary:
    """How a lane did that has ended."""
    outcome: Any = lane.status
    reason: Any = lane.finish_reason
    return events.LaneSummary(
        lane=lane.lane,
        outcome=outcome,
        model=lane.model,
        provider=lane.provider,
        finish_reason=reason,
        error_code=lane.error["code"] if lane.error else None,
        usage=usage_of(lane),
        timings=timings_of(lane),
        tokens_per_second=lane.tokens_per_second,
        cost_usd=lane.cost_usd,
    )


def ended_event(run: RunRow, lanes: Sequence[LaneRow], ends: tuple[events.LaneEnd, ...] = ()) -> events.RunEnding:
    """The last event of a run that has ended; the same whenever it is made. `ends`: where its lanes end in the log."""
    common: dict[str, Any] = {
        "lane": RUN_LANE,
        "at": milliseconds(run.ended_at) if run.ended_at else 0,
        "run_id": run.id,
        "ends": ends,
        "lanes": tuple(map(summary, lanes)),
    }
    if run.status == "completed":
        return events.RunCompleted(**common)
    if run.status == "cancelled":
        return events.RunCancelled(**common)
    return events.RunFailed(**common, error=_error(run.error))


def replay(compared: Compared) -> list[events.Event]:
    """The events of a run whose log is gone, from what is stored of it."""
    run, lanes, _ = compared
    told: list[events.Event] = [created_event(run, lanes)]
    told += [ending_of(lane) for lane in lanes if lane.status != "running"]
    if run.ended_at is not None:
        told.append(ended_event(run, lanes))
    return told


def title_from(turns: Sequence[Turn]) -> str:
    """A title: the beginning of the question."""
    return wording.title_from(next((turn.content for turn in reversed(turns) if turn.role == "user"), ""))


def problem_of(error: events.Error | None) -> dict[str, str] | None:
    """An error as it is stored."""
    return None if error is None else _problem(error)


def _problem(error: events.Error) -> dict[str, str]:
    return {"code": error.code, "message": without_nul(error.message)}


def _error(stored: dict[str, Any] | None) -> events.Error:
    return events.Error(**(stored or {"code": "internal", "message": "Something went wrong on our side."}))

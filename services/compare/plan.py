"""A run that begins: its row and its lanes, and the orders to inference. Values in, values out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts import events
from contracts.compare import ExtendComparison, LaneWish, StartComparison
from contracts.content import Turn
from contracts.generation import GenerateRequest, Parameters, Timeouts
from contracts.ids import is_blind
from contracts.message import Owner
from kit.orchestrate.generation import Generation
from kit.orchestrate.moments import milliseconds
from kit.runlog.lane import RunKey
from services.compare import core
from services.compare.models import Compared, LaneRow, RunRow

Starting = StartComparison | ExtendComparison
"""The requests that start a run."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A lane that is to be generated. `misfit`: why its model cannot be asked just this."""

    model: str
    parameters: Parameters
    misfit: events.Error | None = None


def new_run(command: Starting, turns: Sequence[Turn], parameters: Parameters, title: str, now: datetime) -> RunRow:
    """The run itself."""
    return RunRow(
        id=command.run_id,
        tenant=command.owner.tenant,
        user=command.owner.user,
        parent_run_id=command.parent_run_id if isinstance(command, ExtendComparison) else None,
        title=title,
        blind=is_blind(command.run_id),
        status="running",
        turns=[turn.model_dump(mode="json", exclude_defaults=True) for turn in turns],
        parameters=parameters.model_dump(mode="json", exclude_none=True, exclude_defaults=True),
        idempotency_key=command.idempotency_key,
        notify=command.notify,
        created_at=now,
    )


def wanted_lane(run: RunRow, name: str, position: int, wanted: Wanted, timeouts: Timeouts) -> LaneRow:
    """A lane that is to be generated; one whose model does not fit has its ending at once."""
    order = GenerateRequest(
        owner=Owner(tenant=run.tenant, user=run.user),
        run_id=run.id,
        lane=name,
        model=wanted.model,
        parameters=wanted.parameters,
        timeouts=timeouts,
        requested_at=milliseconds(run.created_at),
    )
    lane = LaneRow(
        run_id=run.id,
        lane=name,
        position=position,
        model=wanted.model,
        request=order.model_dump(mode="json", exclude_none=True, exclude={"messages"}),
    )
    if wanted.misfit is not None:
        lane.own = True
        core.end_lane(lane, _misfit_ending(lane, run, wanted.misfit), "", "")
    return lane


def kept_lane(run: RunRow, name: str, position: int, old: LaneRow) -> LaneRow:
    """A lane of an earlier run that is shown again. A chain of origins names the first."""
    kept = LaneRow(**{**old.model_dump(), "run_id": run.id, "lane": name, "position": position, "own": True})
    if old.origin_run_id is None:
        kept.origin_run_id, kept.origin_lane = old.run_id, old.lane
    return kept


def extended_lanes(
    run: RunRow,
    olds: Sequence[LaneRow],
    anew: Mapping[str, Wanted],
    added: Sequence[Wanted],
    names: Sequence[str],
    timeouts: Timeouts,
) -> list[LaneRow]:
    """The lanes of a run that goes on from another one: the old ones at their places, as they are or `anew`."""
    lanes = []
    for place, (name, old) in enumerate(zip(names, olds, strict=False)):
        again = anew.get(old.lane)
        lanes.append(
            kept_lane(run, name, place, old) if again is None else wanted_lane(run, name, place, again, timeouts)
        )
    for place, (name, wanted) in enumerate(zip(names[len(olds) :], added, strict=True), start=len(olds)):
        lanes.append(wanted_lane(run, name, place, wanted, timeouts))
    return lanes


def _misfit_ending(lane: LaneRow, run: RunRow, error: events.Error) -> events.GenerationFailed:
    """Nobody was asked: it took no time and cost nothing."""
    return events.GenerationFailed(
        lane=lane.lane,
        at=milliseconds(run.created_at),
        attempt=0,
        model=lane.model,
        error=error,
        usage=events.Usage(),
        timings=events.Timings(queued_ms=0, first_token_ms=None, total_ms=0),
        cost_usd="0",
    )


def turns_of(run: RunRow) -> tuple[Turn, ...]:
    """What every model is asked."""
    return tuple(Turn.model_validate(turn) for turn in run.turns)


def wish_of(lane: LaneRow) -> LaneWish:
    """What the lane was asked for, to ask for it once more."""
    model, parameters = asked_of(lane)
    return LaneWish(model=model, parameters=parameters)


def asked_of(lane: LaneRow) -> tuple[str, Parameters]:
    """Whom a lane asks, and how."""
    return lane.model, Parameters.model_validate(lane.request.get("parameters", {}))


def order_of(lane: LaneRow, turns: tuple[Turn, ...]) -> GenerateRequest:
    """What inference is asked for."""
    order: dict[str, Any] = {**lane.request, "messages": turns}
    return GenerateRequest.model_validate(order)


def key_of(run: RunRow) -> RunKey:
    """Where its log is."""
    return RunKey(run.tenant, run.user, run.id)


def generation_of(compared: Compared, lane: LaneRow) -> Generation:
    """A lane as those need it who stop it, or end it in its worker's place."""
    run = compared.run
    return Generation(
        key=key_of(run),
        lane=lane.lane,
        model=lane.model,
        requested=run.created_at,
        created=core.created_event(run, compared.lanes),
        asked=tuple(turn["content"] for turn in run.turns if turn.get("content")),
        trace=run.trace,
    )

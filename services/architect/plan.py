"""A run that begins: its row and its steps. And what others have to know of it. Values in, values out."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from contracts import events
from contracts.architect import ForkAssistantRun, StartAssistantRun
from contracts.assistant import Definition, Step
from contracts.ids import RUN_LANE
from contracts.message import Owner
from kit.orchestrate.generation import Generation
from kit.orchestrate.moments import milliseconds, moment
from kit.runlog.lane import RunKey
from services.architect.core import KIND
from services.architect.models import Planned, RunRow, StepRow

Starting = StartAssistantRun | ForkAssistantRun
"""The requests that start a run."""

_KEPT = (
    "model",
    "request",
    "decision",
    "status",
    "attempt",
    "text",
    "reasoning",
    "provider",
    "finish_reason",
    "reason",
    "error",
    "usage",
    "cost_usd",
    "queued_ms",
    "first_token_ms",
    "total_ms",
    "started_at",
    "ended_at",
)
"""What a step that is shown again has of the one that was generated."""


def new_run(
    command: Starting, definition: Definition, inputs: Mapping[str, Any], now: datetime, **fields: Any
) -> RunRow:
    """The run itself; `fields` say whose assistant it is of."""
    patience = definition.timeout_seconds
    return RunRow(
        id=command.run_id,
        tenant=command.owner.tenant,
        user=command.owner.user,
        fields=[field.model_dump(mode="json", exclude_defaults=True) for field in definition.fields],
        inputs=dict(inputs),
        notify=command.notify,
        parent_run_id=command.parent_run_id if isinstance(command, ForkAssistantRun) else None,
        timeout_seconds=patience,
        idempotency_key=command.idempotency_key,
        created_at=now,
        due_at=None if patience is None else now + timedelta(seconds=patience),
        **fields,
    )


def new_step(run_id: str, position: int, step: Step) -> StepRow:
    """A step that is to be taken. Its definition is resolved: it says what it depends on."""
    return StepRow(
        run_id=run_id,
        step=step.name,
        position=position,
        title=step.title or step.name,
        model=step.model,
        depends_on=list(step.depends_on or ()),
        on_error=step.on_error,
        retries=step.retries,
        definition=step.model_dump(mode="json", exclude_none=True),
        approval=None if step.approval is None else step.approval.model_dump(mode="json", exclude_none=True),
        attempts=[],
    )


def kept_step(run_id: str, position: int, step: Step, old: StepRow) -> StepRow:
    """A step of an earlier run that is shown again. A chain of origins names the first."""
    kept = new_step(run_id, position, step)
    for name in _KEPT:
        setattr(kept, name, getattr(old, name))
    kept.sent_at = old.ended_at
    kept.origin_run_id, kept.origin_step = old.origin_run_id or old.run_id, old.origin_step or old.step
    if old.lane is not None and old.attempts:
        kept.origin_lane, kept.own = old.origin_lane or old.lane, True
        kept.lane = lane_of(position, 1)
    return kept


def lane_of(position: int, attempt: int) -> str:
    """The lane of an attempt at the step of that place in the plan."""
    return f"s{position}_{attempt}"


def in_order(steps: Sequence[StepRow]) -> list[StepRow]:
    """So that each comes after all that it depends on."""
    left, done, ordered = list(steps), set[str](), list[StepRow]()
    names = {step.step for step in steps}
    while left:
        step = next(step for step in left if names & set(step.depends_on) <= done)
        left.remove(step)
        done.add(step.step)
        ordered.append(step)
    return ordered


def owner_of(run: RunRow) -> Owner:
    """Whose it is."""
    return Owner(tenant=run.tenant, user=run.user)


def key_of(run: RunRow) -> RunKey:
    """Where its log is."""
    return RunKey(run.tenant, run.user, run.id)


def generation_of(planned: Planned, step: StepRow, request: Mapping[str, Any]) -> Generation:
    """The newest attempt at a step as those need it who stop it, or end it in its worker's place."""
    run = planned.run
    created = events.RunCreated(
        lane=RUN_LANE, at=milliseconds(run.created_at), run_id=run.id, kind=KIND, generations=()
    )
    return Generation(
        key=key_of(run),
        lane=request["lane"],
        model=step.model,
        requested=moment(request["requested_at"]),
        created=created,
        asked=tuple(turn["content"] for turn in request["messages"] if turn.get("content")),
        trace=run.trace,
    )

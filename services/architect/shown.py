"""Runs as their owner sees them: values in, values out."""

from collections.abc import Mapping
from typing import Any

from contracts.architect_values import AssistantRun, Decision, RunStep, StepOrigin
from contracts.chat_values import Run
from contracts.content import Turn
from contracts.generation import TokenUsage
from kit.orchestrate.heard import Heard
from services.architect.core import KIND, last_steps
from services.architect.inputs import shown
from services.architect.models import Planned, StepRow

BETWEEN_OUTPUTS = "\n\n"
_OF_RUN = (
    "id",
    "assistant_id",
    "assistant_version",
    "name",
    "status",
    "notify",
    "parent_run_id",
    "error",
    "usage",
    "cost_usd",
    "created_at",
    "ended_at",
)
_OF_STEP = (
    "step",
    "title",
    "status",
    "depends_on",
    "model",
    "provider",
    "finish_reason",
    "reason",
    "error",
    "on_error",
    "cost_usd",
    "queued_ms",
    "first_token_ms",
    "total_ms",
    "started_at",
    "ended_at",
)


def assistant_run(planned: Planned, heard: Mapping[str, Heard], *, whole: bool = True) -> AssistantRun:
    """A run; `heard` is what its lanes that go on have said so far. Without `whole` it has no steps and no texts."""
    run, steps = planned
    of_whole: dict[str, Any] = {}
    if whole:
        of_whole = {
            "inputs": shown(run.inputs),
            "steps": tuple(_step(step, heard) for step in steps),
            "outputs": outputs(planned),
        }
    return AssistantRun(
        **{name: getattr(run, name) for name in _OF_RUN},
        done=sum(step.over for step in steps),
        total=len(steps),
        running=tuple(step.step for step in steps if step.status == "running"),
        waiting_for_approval=tuple(step.step for step in steps if step.status == "approval"),
        **of_whole,
    )


def outputs(planned: Planned) -> dict[str, str]:
    """The texts of the last steps, as far as they have ended with one."""
    return {step.step: step.text for step in last_steps(planned.steps) if step.over and step.text}


def _step(step: StepRow, heard: Mapping[str, Heard]) -> RunStep:
    told: dict[str, Any] = {name: getattr(step, name) for name in _OF_STEP}
    said = heard.get(step.lane or "")
    told |= {"output": step.text, "reasoning": step.reasoning} if step.over else {}
    if step.status == "running":
        told |= {"output": said.text if said else None, "reasoning": (said.reasoning or None) if said else None}
        told["provider"] = said.provider if said else None
    if step.decision is not None:
        told["decision"] = Decision.model_validate(step.decision)
    if step.origin_run_id is not None and step.origin_step is not None:
        told["origin"] = StepOrigin(run_id=step.origin_run_id, step=step.origin_step)
    if step.status == "retrying":
        told["next_attempt_at"] = step.due_at
    return RunStep(
        **told,
        attempts=step.attempt,
        generation=step.lane,
        turns=tuple(Turn.model_validate(turn) for turn in (step.request or {}).get("messages", ())),
        instructions=None if step.approval is None else step.approval.get("instructions", ""),
        usage=None if step.usage is None else TokenUsage.model_validate(step.usage),
    )


def run_of(planned: Planned, *, whole: bool = True) -> Run:
    """A run as every run looks. Its text is that of the last steps."""
    run, steps = planned
    models = dict.fromkeys(step.model for step in steps)
    text = BETWEEN_OUTPUTS.join(outputs(planned).values()) if whole else ""
    return Run(
        id=run.id,
        kind=KIND,
        status=run.status,
        model=", ".join(models),
        text=text or None,
        cost_usd=run.cost_usd,
        error=run.error,
        created_at=run.created_at,
        ended_at=run.ended_at,
    )

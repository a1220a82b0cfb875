"""How a generation has ended, and what everybody is told of it: values in, values out."""

from typing import Any, Literal

from contracts import events
from contracts.generation import GenerationEnded, TokenUsage
from contracts.message import Owner
from kit.runlog.lane import RunKey

Outcome = Literal["completed", "failed", "cancelled"]


def outcome_of(ending: events.GenerationEnding) -> Outcome:
    """The ending in one word."""
    match ending:
        case events.GenerationCompleted():
            return "completed"
        case events.GenerationFailed():
            return "failed"
        case events.GenerationCancelled():
            return "cancelled"


def ended_fact(key: RunKey, ending: events.GenerationEnding, sequence: int) -> GenerationEnded:
    """What is said of a generation whose ending is at `sequence` in the log; the same as its worker says."""
    timings, usage = ending.timings, ending.usage
    return GenerationEnded(
        outcome=outcome_of(ending),
        owner=Owner(tenant=key.tenant, user=key.user),
        run_id=key.run,
        lane=ending.lane,
        sequence=sequence,
        model=ending.model,
        provider=ending.provider,
        attempt=ending.attempt,
        finish_reason=ending.finish_reason if isinstance(ending, events.GenerationCompleted) else None,
        error_code=ending.error.code if isinstance(ending, events.GenerationFailed) else None,
        usage=TokenUsage.model_validate(usage, from_attributes=True) if usage else None,
        cost_usd=ending.cost_usd,
        queued_ms=timings.queued_ms if timings else None,
        first_token_ms=timings.first_token_ms if timings else None,
        total_ms=timings.total_ms if timings else None,
    )


def usage_values(usage: events.Usage | None) -> dict[str, Any] | None:
    """Tokens as a table keeps them."""
    return {name: getattr(usage, name) for name in usage.__struct_fields__} if usage else None

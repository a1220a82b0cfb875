"""What a generation's ending makes of its step: an output, another attempt, or a failure. Values in, values out."""

from contracts import events
from kit.orchestrate.wording import without_nul
from kit.runlog.outcome import usage_values
from services.architect import course as transitions
from services.architect.core import total_cost
from services.architect.course import Course
from services.architect.models import StepRow

HOPELESS = frozenset(
    {
        "context_too_long",
        "images_not_supported",
        "provider_auth",
        "provider_rejected",
        "too_many_attempts",
        "unknown_model",
    }
)
"""Errors that another attempt would meet again."""
TIMED_OUT = events.Error("step_timeout", "The step took longer than its time limit.")
FILTERED = events.Error("content_filter", "The model's provider withheld the answer.")


def answered(
    course: Course,
    step: StepRow,
    ending: events.GenerationEnding,
    texts: tuple[str, str],
    sequence: int,
    delay: float,
) -> None:
    """An attempt has ended, with these texts, at that place of the log. `delay`: seconds before another one."""
    _record(step, ending, texts, sequence)
    course.changed = True
    error = _error(step, ending)
    if error is None and isinstance(ending, events.GenerationCompleted):
        transitions.complete(course, step)
    elif error is None:
        transitions.cancel(course, step)
    elif course.planned.run.stopping is None and error.code not in HOPELESS and step.attempt <= step.retries:
        transitions.retry_later(course, step, error, delay)
    else:
        transitions.fail(course, step, error)


def _error(step: StepRow, ending: events.GenerationEnding) -> events.Error | None:
    """Why there is no output; None if there is one, or somebody did not want it."""
    match ending:
        case events.GenerationFailed():
            return ending.error
        case events.GenerationCompleted():
            return FILTERED if ending.finish_reason == "content_filter" else None
        case events.GenerationCancelled():
            return TIMED_OUT if step.stopped == "timeout" else None


def _record(step: StepRow, ending: events.GenerationEnding, texts: tuple[str, str], sequence: int) -> None:
    """Write into a step's row what an attempt has said and taken; NUL cannot be stored and is dropped."""
    step.text, step.reasoning = without_nul(texts[0]), without_nul(texts[1]) or None
    step.model, step.provider = ending.model, ending.provider
    step.finish_reason = ending.finish_reason if isinstance(ending, events.GenerationCompleted) else None
    step.usage = usage_values(ending.usage)
    if ending.timings is not None:
        step.queued_ms, step.total_ms = ending.timings.queued_ms, ending.timings.total_ms
        step.first_token_ms = ending.timings.first_token_ms
    attempt = {"lane": ending.lane, "sequence": sequence, "usage": step.usage, "cost_usd": ending.cost_usd}
    step.attempts = [*step.attempts, attempt]
    step.cost_usd = total_cost(attempt["cost_usd"] for attempt in step.attempts)

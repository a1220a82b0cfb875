"""The decisions of a generation: values in, values out."""

from dataclasses import dataclass

from contracts import events
from contracts.generation import GenerateRequest, GenerationEnded, Parameters, Timeouts, TokenUsage
from kit.settings import InferenceSettings


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds; None is no limit."""

    first_token: float
    silence: float
    total: float | None

    def deadline(self, started: float, called: float, last_chunk: float | None) -> tuple[float, events.Error]:
        """The next moment (monotonic) at which a call has taken too long, and what to say then.

        The answer was `started`, and the model was `called` for it, maybe not for the first time.
        """
        if last_chunk is None:
            moment = called + self.first_token
            error = events.Error("first_token_timeout", f"The model was silent for {self.first_token:g} s.")
        else:
            moment = last_chunk + self.silence
            error = events.Error("silence_timeout", f"The model stopped sending for {self.silence:g} s.")
        total = self.total_deadline(started)
        return (moment, error) if total is None or moment <= total[0] else total

    def total_deadline(self, started: float) -> tuple[float, events.Error] | None:
        """The moment at which the answer has taken too long altogether."""
        if self.total is None:
            return None
        return started + self.total, events.Error("total_timeout", f"The answer took longer than {self.total:g} s.")


def limits(request: Timeouts, model: Timeouts, worker: InferenceSettings) -> Limits:
    """The request's own limits, else the model's, else the worker's."""
    total = request.total_seconds or model.total_seconds or worker.total_timeout_seconds
    return Limits(
        first_token=request.first_token_seconds or model.first_token_seconds or worker.first_token_timeout_seconds,
        silence=request.silence_seconds or model.silence_seconds or worker.silence_timeout_seconds,
        total=total,
    )


def formed(parameters: Parameters) -> bool:
    """Whether the answer has to be of a certain form, as a whole."""
    return parameters.response_format is not None and parameters.response_format.get("type") != "text"


def ended_fact(request: GenerateRequest, ending: events.GenerationEnding, sequence: int) -> GenerationEnded:
    """What is said of a lane that has its ending; the same whoever says it."""
    timings, usage = ending.timings, ending.usage
    return GenerationEnded(
        outcome=outcome_of(ending),
        owner=request.owner,
        run_id=request.run_id,
        lane=request.lane,
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


def outcome_of(ending: events.GenerationEnding) -> str:
    """completed, failed or cancelled."""
    return events.type_of(ending).partition(".")[2]

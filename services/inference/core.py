"""The decisions of a generation: values in, values out."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts import events
from contracts.generation import GenerateRequest, GenerationEnded, Timeouts, TokenUsage
from kit.settings import InferenceSettings


@dataclass(frozen=True, slots=True)
class Begin:
    """Answer, as attempt `attempt`, after `last`; `text` and `reasoning` are what earlier attempts have written."""

    attempt: int
    last: int
    text: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """The lane has its ending; only saying so may be left to do."""

    sequence: int
    ending: events.GenerationEnding


@dataclass(frozen=True, slots=True)
class GiveUp:
    """So many attempts brought no new text that another one would not either."""

    attempts: int


def on_pickup(told: Sequence[tuple[int, events.Event | None]], max_attempts: int) -> Begin | Ended | GiveUp:
    """What to do with a request, from what its lane says. `told` is the whole lane with its sequences."""
    if not told:
        return Begin(attempt=1, last=0)
    last, newest = told[-1]
    if isinstance(newest, events.GenerationEnding):
        return Ended(last, newest)
    attempt, without_text = 0, 0
    for _, event in told:
        match event:
            case events.GenerationStarted():
                attempt = max(attempt, event.attempt)
                without_text += 1
            case events.GenerationDelta() | events.GenerationReasoning():
                without_text = 0
    if without_text >= max_attempts:
        return GiveUp(attempts=attempt)
    text, reasoning = words(told)
    return Begin(attempt=attempt + 1, last=last, text=text, reasoning=reasoning)


def words(told: Sequence[tuple[int, events.Event | None]]) -> tuple[str, str]:
    """The text and the reasoning that a lane has, since it last began."""
    text: list[str] = []
    reasoning: list[str] = []
    for _, event in told:
        match event:
            case events.GenerationRestarted():
                text, reasoning = [], []
            case events.GenerationDelta():
                text.append(event.text)
            case events.GenerationReasoning():
                reasoning.append(event.text)
    return "".join(text), "".join(reasoning)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds; None is no limit."""

    first_token: float
    silence: float
    total: float | None

    def deadline(self, started: float, last_chunk: float | None) -> tuple[float, events.Error]:
        """The next moment (monotonic) at which the generation has taken too long, and what to say then."""
        if last_chunk is None:
            moment = started + self.first_token
            error = events.Error("first_token_timeout", f"The model was silent for {self.first_token:g} s.")
        else:
            moment = last_chunk + self.silence
            error = events.Error("silence_timeout", f"The model stopped sending for {self.silence:g} s.")
        if self.total is not None and started + self.total < moment:
            moment = started + self.total
            error = events.Error("total_timeout", f"The answer took longer than {self.total:g} s.")
        return moment, error


def limits(request: Timeouts, model: Timeouts, worker: InferenceSettings) -> Limits:
    """The request's own limits, else the model's, else the worker's."""
    total = request.total_seconds or model.total_seconds or worker.total_timeout_seconds
    return Limits(
        first_token=request.first_token_seconds or model.first_token_seconds or worker.first_token_timeout_seconds,
        silence=request.silence_seconds or model.silence_seconds or worker.silence_timeout_seconds,
        total=total,
    )


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

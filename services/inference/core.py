"""The decisions of a generation: values in, values out."""

from dataclasses import dataclass

from contracts import events
from contracts.generation import Parameters, Timeouts
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

"""The measures that say how fast answers reach people, at each hop of a token's way."""

import time
from collections.abc import Callable, Iterable

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

_meter = metrics.get_meter("studio")

_sent = _meter.create_counter(
    "messaging.client.sent.messages",
    unit="{message}",
    description="Commands, facts and dead letters that a stream has taken, by subject",
)

_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)

_first_token = _meter.create_histogram(
    "studio.time_to_first_token",
    unit="s",
    description="From the request to the first token, by hop",
    explicit_bucket_boundaries_advisory=_BUCKETS,
)
_token_age = _meter.create_histogram(
    "studio.token_age",
    unit="s",
    description="Time since a token came from its provider, by hop",
    explicit_bucket_boundaries_advisory=_BUCKETS,
)


def sent(subject: str, messages: int = 1) -> None:
    """So many messages were sent to a stream. Their subject must name no run and nobody: each is a series of its own.

    What is repeated after a failure counts again. Nought makes a subject known before its first message: whoever asks
    for an increase misses what a series begins with, which would be the first failure.
    """
    _sent.add(
        messages,
        {"messaging.system": "nats", "messaging.operation.name": "publish", "messaging.destination.name": subject},
    )


def first_token(hop: str, seconds: float, model: str = "") -> None:
    """A first token reached a hop (worker, edge) so long after the request."""
    _first_token.record(seconds, {"hop": hop, "model": model} if model else {"hop": hop})


def token_age(hop: str, at_ms: int) -> None:
    """A token that came from its provider at `at_ms` (Unix milliseconds) is at a hop (stored, edge, sent) now."""
    _token_age.record(max(0.0, time.time() - at_ms / 1000), {"hop": hop})


def token_ages(hop: str, payloads: Iterable[bytes]) -> None:
    """The same for every delta among some encoded events."""
    for payload in payloads:
        at = delta_at(payload)
        if at is not None:
            token_age(hop, at)


_DELTAS = (b'{"type":"generation.delta"', b'{"type":"generation.reasoning"')


def delta_at(payload: bytes) -> int | None:
    """The `at` of an encoded delta (of text or reasoning); None for every other event, and where it is hidden (0)."""
    if not payload.startswith(_DELTAS):
        return None
    start = payload.index(b'"at":') + 5
    return int(payload[start : payload.index(b",", start)]) or None


CIRCUITS = {"closed": 0, "half-open": 1, "open": 2}


def watch_circuits(states: Callable[[], Iterable[tuple[str, str]]]) -> None:
    """Report the circuit breakers of the model providers; `states` tells the provider and its circuit."""

    def observe(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(CIRCUITS[circuit], {"provider": name}) for name, circuit in states()]

    _meter.create_observable_gauge(
        "studio.provider.circuit",
        callbacks=[observe],
        description="Whether a model provider is asked: 0 yes (closed), 1 on trial (half-open), 2 no (open)",
    )


def watch(name: str, read: Callable[[], float | None], *, unit: str, description: str) -> None:
    """Report a number that `read` tells whenever it is asked, from a thread of its own; None: nothing is known."""

    def observe(_: CallbackOptions) -> Iterable[Observation]:
        value = read()
        return [] if value is None else [Observation(value)]

    _meter.create_observable_gauge(name, callbacks=[observe], unit=unit, description=description)


def watch_open_streams(count: Callable[[], int]) -> None:
    """Report how many responses of this edge follow a run."""
    watch("studio.open_streams", count, unit="", description="Responses that follow a run, of one edge")


def watch_slots(share: Callable[[], float]) -> None:
    """Report how much of a worker is in use; `share` is from 0 to 1."""
    watch("studio.slots_used", lambda: 100 * share(), unit="%", description="Slots in use, of one worker")


def watch_waiting(count: Callable[[], int | None]) -> None:
    """Report how many requests wait for a free slot of any worker."""
    watch("studio.work_waiting", count, unit="", description="Requests that no worker has taken yet")

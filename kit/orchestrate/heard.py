"""What a lane says, added up: for an ending that is written in its worker's place. Values in, values out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts import events
from contracts.costs import Prices, cost_usd, estimated_usage

Told = Iterable[tuple[int, events.Event | None]]
"""A lane's events with their sequences; None stands for a type that is newer than this reader."""


@dataclass(slots=True)
class Heard:
    """Everything that a watcher has seen of a generation, and who wrote it."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[events.ToolCall, ...] = ()
    dropped: str = ""
    """Words of attempts that were begun again: nobody sees them, but they were paid for."""
    attempts: frozenset[int] = frozenset()
    model: str | None = None
    """Who answered last; it may be one of the request's fallbacks."""
    provider: str | None = None
    started_at: int | None = None
    first_word_at: int | None = None


def hear(told: Told) -> Heard:
    """Fold a lane. What it does not say in words (notices, a provider's id of the answer) changes nothing."""
    heard = Heard()
    text: list[str] = []
    reasoning: list[str] = []
    calls: list[events.ToolCall] = []
    dropped: list[str] = []
    for _, event in told:
        match event:
            case events.GenerationStarted():
                heard.attempts |= {event.attempt}
                heard.model, heard.provider = event.model, event.provider
                heard.started_at = event.at if heard.started_at is None else heard.started_at
            case events.GenerationRestarted():
                dropped += text + reasoning
                text, reasoning, calls = [], [], []
            case events.GenerationDelta() | events.GenerationReasoning():
                (text if isinstance(event, events.GenerationDelta) else reasoning).append(event.text)
                heard.first_word_at = event.at if heard.first_word_at is None else heard.first_word_at
            case events.GenerationToolCall():
                calls.append(events.ToolCall(event.call_id, event.name, event.arguments))
    heard.text, heard.reasoning, heard.dropped = "".join(text), "".join(reasoning), "".join(dropped)
    heard.tool_calls = tuple(calls)
    return heard


def bill(heard: Heard, asked: Iterable[str], prices: Prices | None) -> dict[str, Any]:
    """The fields `usage` and `cost_usd` of an ending that no provider has counted.

    Every attempt is charged for the whole question. Without a price the cost is unknown, unless nobody was asked.
    """
    calls = len(heard.attempts)
    usage = estimated_usage(asked, heard.dropped + heard.text, heard.reasoning, calls=calls)
    if not calls:
        return {"usage": usage, "cost_usd": "0"}
    return {"usage": usage, "cost_usd": format(cost_usd(prices, usage), "f") if prices else None}


def timings(heard: Heard, requested: datetime, now: int) -> events.Timings:
    """How long it took, from the request to `now` (Unix milliseconds)."""
    since = round(requested.timestamp() * 1000)
    queued = now if heard.started_at is None else heard.started_at
    first = None if heard.first_word_at is None else max(0, heard.first_word_at - since)
    return events.Timings(queued_ms=max(0, queued - since), first_token_ms=first, total_ms=max(0, now - since))


def ending(fields: dict[str, Any], error: events.Error | None) -> events.GenerationFailed | events.GenerationCancelled:
    """The ending: failed for that reason, or, without one, cancelled. `fields` are what the two have in common."""
    return events.GenerationCancelled(**fields) if error is None else events.GenerationFailed(error=error, **fields)

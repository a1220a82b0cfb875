"""What a worker does with a request, decided from what its lane says: values in, values out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts import events


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier attempts have made of the answer."""

    attempts: int = 0
    """How many have begun."""
    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[events.ToolCall, ...] = ()
    dropped: str = ""
    """Words of attempts that were begun again: nobody sees them, but they were paid for."""
    model: str | None = None
    """Who wrote the text; it may be one of the request's fallbacks."""
    reference: str | None = None
    """Under which the provider keeps the whole answer."""

    @property
    def begun(self) -> bool:
        """Somebody may have seen something of it."""
        return bool(self.text or self.reasoning or self.tool_calls)

    @property
    def called(self) -> str:
        """What the model wrote for its tool calls."""
        return called(self.tool_calls)


@dataclass(frozen=True, slots=True)
class Begin:
    """Answer, as attempt `attempt`, after the lane's sequence `last`."""

    attempt: int
    last: int
    past: Past = Past()


@dataclass(frozen=True, slots=True)
class Ended:
    """The lane has its ending; only saying so may be left to do."""

    sequence: int
    ending: events.GenerationEnding


@dataclass(frozen=True, slots=True)
class GiveUp:
    """So many attempts brought no new text that another one would not either."""

    attempts: int


Told = Sequence[tuple[int, events.Event | None]]
"""A whole lane: its events with their sequences; None stands for a type that is newer than this worker."""


def on_pickup(told: Told, max_attempts: int) -> Begin | Ended | GiveUp:
    """What to do with a request."""
    if not told:
        return Begin(attempt=1, last=0)
    last, newest = told[-1]
    if isinstance(newest, events.GenerationEnding):
        return Ended(last, newest)
    attempts, fruitless = _attempts(told)
    if fruitless >= max_attempts:
        return GiveUp(attempts)
    return Begin(attempts + 1, last, past(told))


def _attempts(told: Told) -> tuple[int, int]:
    """How many attempts there were, and how many since the text was last longer than ever.

    Longer than ever: a model that begins again each time says its first words again and again.
    """
    newest = fruitless = length = longest = 0
    for _, event in told:
        match event:
            case events.GenerationStarted():
                if event.attempt > newest:  # a fallback of the same attempt begins as well
                    newest = event.attempt
                    fruitless += 1
            case events.GenerationRestarted():
                length = 0
            case events.GenerationDelta() | events.GenerationReasoning():
                length += len(event.text)
            case events.GenerationToolCall():
                length += len(event.name) + len(event.arguments)
        if length > longest:
            longest, fruitless = length, 0
    return newest, fruitless


def called(calls: Iterable[events.ToolCall]) -> str:
    """What the model wrote for tool calls."""
    return "".join(call.name + call.arguments for call in calls)


def past(told: Told) -> Past:
    """What a lane has of its answer."""
    text: list[str] = []
    reasoning: list[str] = []
    calls: list[events.ToolCall] = []
    dropped: list[str] = []
    attempts, model, reference = 0, None, None
    for _, event in told:
        match event:
            case events.GenerationStarted():
                attempts, model = max(attempts, event.attempt), event.model
            case events.GenerationRestarted():
                dropped += [*text, *reasoning, called(calls)]
                text, reasoning, calls, reference = [], [], [], None
            case events.GenerationDelta():
                text.append(event.text)
            case events.GenerationReasoning():
                reasoning.append(event.text)
            case events.GenerationToolCall():
                calls.append(events.ToolCall(event.call_id, event.name, event.arguments))
            case events.GenerationAttached():
                # What is kept of an answer that was gone on with is its second half only.
                reference = None if text or reasoning or calls else event.reference
    return Past(attempts, "".join(text), "".join(reasoning), tuple(calls), "".join(dropped), model, reference)

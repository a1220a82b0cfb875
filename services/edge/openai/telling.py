"""What of an answer is new to a client that cannot be told to forget: OpenAI's protocols take nothing back.

An answer may begin again (`generation.restarted`). What it repeats then was told before, so it is held back; when it
goes on after that, the rest is told. When it says something else, the client has words that are not the answer any
more, and it must be told so. Thinking is not the answer: another thought is told as another one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from contracts import events
from services.edge.wires.strand import Strand


@dataclass(frozen=True, slots=True)
class Said:
    """More of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    """More of the thinking; `anew`: it does not continue what was told of it."""

    text: str
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Called:
    """A call of a tool that the model asks for."""

    call: events.ToolCall


Piece = Said | Thought | Called

_BEGAN_AGAIN = events.Error(
    "answer_restarted",
    "The answer broke off and began again with other words, and this protocol cannot take back what was streamed.",
)


class Telling:
    """One client's view of one answer: events in, what is new in them out; and how it ended."""

    def __init__(self) -> None:
        self.created: events.RunCreated | None = None
        self.ending: events.GenerationEnding | None = None
        """Of the generation."""
        self.ended: events.RunEnding | None = None
        """Of the run: nothing follows."""
        self.broken: events.Error | None = None
        """What was told is not the answer any more: nothing more is told."""
        self._text, self._thought = Strand(), Strand()
        self._calls: list[events.ToolCall] = []

    def take(self, event: events.Event) -> Iterator[Piece]:
        """What the next event of the log adds. It has to be read to its end."""
        match event:
            case events.GenerationDelta():
                yield from self._say(self._text.add(event.text))
            case events.GenerationReasoning():
                yield from self._think(self._thought.add(event.text))
            case events.GenerationToolCall():
                self._calls.append(events.ToolCall(event.call_id, event.name, event.arguments))
            case events.GenerationRestarted():
                self._text.begin_anew()
                self._thought.begin_anew()
                self._calls = []
            case events.GenerationSnapshot():
                yield from self._whole(event)
                self._calls = list(event.tool_calls)
            case events.GenerationCompleted() | events.GenerationFailed() | events.GenerationCancelled():
                yield from self._whole(event)
                if self.broken is None:  # a long ending may have left its calls to the lane
                    yield from map(Called, event.tool_calls or self._calls)
                self.ending = event
            case events.RunCreated():
                self.created = event
            case events.RunCompleted() | events.RunFailed() | events.RunCancelled():
                self.ended = event

    @property
    def error(self) -> events.Error | None:
        """Why there is no whole answer."""
        if self.broken is not None:
            return self.broken
        return self.ended.error if isinstance(self.ended, events.RunFailed) else None

    def _say(self, new: str) -> Iterator[Piece]:
        if self._text.split:
            self.broken = self.broken or _BEGAN_AGAIN
        elif new and self.broken is None:
            yield Said(new)

    def _think(self, new: str) -> Iterator[Piece]:
        anew, self._thought.split = self._thought.split, False
        if new and self.broken is None:
            yield Thought(new, anew=anew)

    def _whole(self, event: events.Whole) -> Iterator[Piece]:
        """Everything up to here: what of it was not told. Live that is nothing; in a replay it may be all.

        An answer that broke off while it repeated itself may be shorter than what was told; nobody calls it whole.
        """
        if event.reasoning_ref is None:
            yield from self._think(self._thought.whole(event.reasoning or ""))
        if event.text_ref is not None:
            return
        new = self._text.whole(event.text or "")
        if isinstance(event, events.GenerationCompleted | events.GenerationSnapshot):
            new += self._text.end()
            yield from self._say(new)
        elif not self._text.split:
            yield from self._say(new)

"""What a client was shown of one generation, and what each of its events adds, for clients that only append."""

from typing import Literal, Protocol

from contracts import events
from services.edge.wires.strand import Strand

Kind = Literal["text", "reasoning"]

FINISH = {"stop": "stop", "length": "length", "content_filter": "content-filter", "tool_calls": "tool-calls"}
"""The AI SDK's names of finish reasons."""
OTHER = "other"


class Words(Protocol):
    """How a stream says it."""

    def said(self, kind: Kind, text: str) -> bytes:
        """More text."""

    def taken_back(self, kind: Kind) -> bytes:
        """What was said of this kind so far is replaced by what follows."""


class Lane:
    """One text and one reasoning; `words` says what is to be shown of them."""

    def __init__(self, words: Words) -> None:
        self.text, self.reasoning = Strand(), Strand()
        self.finish: str | None = None
        """Why the generation ended, once it did and all of it is told."""
        self._words = words

    @property
    def held(self) -> bool:
        """Words are held back, so that the place in the log does not say what the client has."""
        return self.text.anew is not None or self.reasoning.anew is not None

    def begin_anew(self) -> None:
        """It is told from its beginning once more."""
        self.text.begin_anew()
        self.reasoning.begin_anew()

    def add(self, kind: Kind, text: str) -> bytes:
        """More of it."""
        strand = self._strand(kind)
        return self._say(kind, strand, strand.add(text))

    def whole(self, event: events.Whole) -> bytes:
        """All of it so far. A reference is left where the text is gone for good: then it is as it was told."""
        told = b""
        if event.reasoning_ref is None:
            told += self._say("reasoning", self.reasoning, self.reasoning.whole(event.reasoning or ""))
        if event.text_ref is None:
            told += self._say("text", self.text, self.text.whole(event.text or ""))
        return told

    def end(self, event: events.GenerationEnding) -> bytes:
        """The last words of it."""
        told = self.whole(event)
        for kind in ("reasoning", "text"):
            strand = self._strand(kind)
            told += self._say(kind, strand, strand.end())
        self.finish = OTHER
        if isinstance(event, events.GenerationCompleted):
            self.finish = FINISH.get(event.finish_reason, OTHER)
        return told

    def _strand(self, kind: Kind) -> Strand:
        return self.text if kind == "text" else self.reasoning

    def _say(self, kind: Kind, strand: Strand, text: str) -> bytes:
        told = b""
        if strand.split:
            strand.split = False
            told = self._words.taken_back(kind)
        return told + self._words.said(kind, text) if text else told

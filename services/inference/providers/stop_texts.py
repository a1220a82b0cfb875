"""Texts at which an answer ends, wherever the stream is cut."""

from collections.abc import Sequence


class StopTexts:
    """Holds back what may be the beginning of such a text; the text itself is never said."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = [text for text in texts if text]
        self._held = ""
        self.reached = False

    def take(self, piece: str) -> str:
        """What can be said now."""
        if not self._texts:
            return piece
        self._held += piece
        places = [place for text in self._texts if (place := self._held.find(text)) >= 0]
        if places:
            self.reached = True
            said, self._held = self._held[: min(places)], ""
            return said
        keep = max(self._beginning(text) for text in self._texts)
        said, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return said

    def rest(self) -> str:
        """What was held back, at the end of the answer."""
        held, self._held = self._held, ""
        return held

    def _beginning(self, text: str) -> int:
        """How much of the end of what is held is the beginning of a text."""
        sizes = range(min(len(text) - 1, len(self._held)), 0, -1)
        return next((size for size in sizes if self._held.endswith(text[:size])), 0)

"""What a client was shown of one text that grows, and what may have to be taken back of it.

Protocols whose clients only ever append have no word for "drop that": when a text is told anew (a worker began again,
or the run is told in short), the new words are held back as long as they repeat the old ones. Mostly they do to the
end, and nobody notices. Otherwise the text has split, and the wire says so in its own way.
"""

import zlib
from dataclasses import dataclass

HEAD_CHARACTERS = 256
"""Kept, so that another text is known by its beginning and not only when it is as long as the one before."""


@dataclass(slots=True)
class Strand:
    """The shown text by its length and checksum: a watcher's memory stays small, and a cursor can carry them."""

    length: int = 0
    checksum: int = 0
    anew: str | None = None
    """What is told anew and held back."""
    split: bool = False
    """The text now shown is another one than that which was shown before; set by what returned it."""
    _head: str = ""

    def add(self, text: str) -> str:
        """More of it; returns what is to be shown."""
        if self.anew is None:
            self._show(text)
            return text
        self.anew += text
        return self._settle()

    def begin_anew(self) -> None:
        """It is told from its beginning once more."""
        self.anew = "" if self.length else None

    def whole(self, text: str) -> str:
        """All of it so far; returns what is to be shown."""
        self.anew = text
        return self._settle()

    def end(self) -> str:
        """Nothing more comes; returns what is to be shown. A text that is shorter now has split, too."""
        if self.anew is None or len(self.anew) >= self.length:
            return ""
        return self._split()

    def _settle(self) -> str:
        anew = self.anew or ""
        if len(anew) < self.length:
            known = self._head[: len(anew)]
            return self._split() if anew[: len(known)] != known else ""
        if zlib.crc32(anew[: self.length].encode()) != self.checksum:
            return self._split()
        self.anew, rest = None, anew[self.length :]
        self._show(rest)
        return rest

    def _split(self) -> str:
        text, self.anew = self.anew or "", None
        self.length = self.checksum = 0
        self._head, self.split = "", True
        self._show(text)
        return text

    def _show(self, text: str) -> None:
        if len(self._head) < HEAD_CHARACTERS and len(self._head) == self.length:
            self._head += text[: HEAD_CHARACTERS - len(self._head)]
        self.length += len(text)
        self.checksum = zlib.crc32(text.encode(), self.checksum)

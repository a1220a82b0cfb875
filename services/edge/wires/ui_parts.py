"""The frames of a UI message stream, and the parts of one generation in it: one is open at a time."""

from typing import Any

import msgspec

from services.edge.wires.lane import Kind

_encode = msgspec.json.Encoder().encode

DONE = b"data: [DONE]\n\n"
"""What the SDK's own servers end with."""


class UiParts:
    """A text or a reasoning begins a new part where the model changes over, and where words are taken back."""

    def __init__(self, name: str = "", said_of: dict[str, Any] | None = None) -> None:
        """`name` begins the parts' ids, `said_of` goes with each of them."""
        self.open: Kind | None = None
        self.count = 0
        self.said_of = said_of or {}
        self._name = name

    def said(self, kind: Kind, text: str) -> bytes:
        """A delta, in a part that may have to begin first."""
        opening = b""
        if self.open != kind:
            opening = self.close()
            self.open, self.count = kind, self.count + 1
            begin: dict[str, Any] = {"type": f"{kind}-start", "id": self._id}
            if self.said_of:
                begin["providerMetadata"] = {"studio": self.said_of}
            opening += frame(begin)
        return opening + frame({"type": f"{kind}-delta", "id": self._id, "delta": text})

    def taken_back(self, kind: Kind) -> bytes:
        """A data part that stays in the message."""
        return self.close() + frame({"type": "data-restarted", "data": {"kind": kind, **self.said_of}})

    def close(self) -> bytes:
        """Nothing more comes in this part."""
        if self.open is None:
            return b""
        told = frame({"type": f"{self.open}-end", "id": self._id})
        self.open = None
        return told

    @property
    def _id(self) -> str:
        return f"{self._name}{self.open}-{self.count}"


def frame(part: dict[str, Any]) -> bytes:
    """One chunk of the stream."""
    return b"data: %b\n\n" % _encode(part)


def with_cursor(told: bytes, cursor: object) -> bytes:
    """The frames of one event: the cursor stands on the last, or a cut between two would lose it."""
    last = told.rfind(b"\n\n", 0, -2) + 2 if told.count(b"\n\n") > 1 else 0
    return b"%bid: %b\n%b" % (told[:last], str(cursor).encode(), told[last:])

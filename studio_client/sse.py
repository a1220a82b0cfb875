"""Reading server-sent events (WHATWG HTML, section 9.2) from pieces of bytes, wherever they are cut."""

import re
from dataclasses import dataclass

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Frame:
    """One event; `id` is the last id seen so far, as the standard wants it."""

    id: str
    type: str
    data: str


class Parser:
    """Takes the bytes of one connection. Half an event at its end is never told."""

    def __init__(self, last_id: str = "") -> None:
        self.retry_ms: int | None = None
        """How long the server wants clients to wait before they come back, if it has said so."""
        self._last_id = self._new_id = last_id
        self._kind, self._data = "", list[str]()
        self._rest: list[bytes] = []
        self._after_cr = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[Frame]:
        """The events that are whole now. Comments keep a connection alive and are skipped."""
        if self._after_cr and chunk:
            chunk, self._after_cr = chunk.removeprefix(b"\n"), False
        *lines, rest = _LINE_END.split(chunk)
        frames = []
        for line in lines:
            frame = self._take(b"".join([*self._rest, line]).decode(errors="replace"))
            self._rest.clear()
            if frame is not None:
                frames.append(frame)
        if rest:
            self._rest.append(rest)
        self._after_cr = chunk.endswith(b"\r")
        return frames

    def _take(self, line: str) -> Frame | None:
        if self._at_start:
            line, self._at_start = line.removeprefix(_BYTE_ORDER_MARK), False
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._kind = value
        elif name == "id" and "\0" not in value:
            self._new_id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_ms = int(value)
        return None

    def _dispatch(self) -> Frame | None:
        self._last_id = self._new_id  # only when its event is whole: a cut between the two must not lose the event
        kind, data = self._kind or "message", self._data
        self._kind, self._data = "", []
        return Frame(self._last_id, kind, "\n".join(data)) if data else None

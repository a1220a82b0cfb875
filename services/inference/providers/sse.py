"""Server-sent events from bytes that arrive in any pieces: only what OpenAI-compatible servers use.

Every `data:` line is one payload and is handed out as soon as its line ends. The SSE rule would wait for the blank line
that closes the event and join several data lines; no server of this protocol sends JSON over several lines, and a
server that flushes before the blank line would be one token late.
"""

from collections.abc import Sequence

MAX_LINE_BYTES = 4 * 1024 * 1024
"""A longer line is no token (the largest honest ones are whole tool calls): refused, so that memory stays bounded."""

_BOM = b"\xef\xbb\xbf"


class SseParser:
    """Incremental parser of one stream: feed it reads, get the payloads of the lines that are complete.

    Comments, `event:`, `id:` and `retry:` lines are skipped. Lines may end with LF or CRLF. Work is linear in the bytes
    fed, however small the pieces are. A line that never ends is never handed out. After a line beyond the limit
    `too_long` is set and nothing more is handed out; what came before it is not lost.
    """

    __slots__ = ("_at_start", "_limit", "_parts", "_size", "too_long")

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit  # bytes
        self._parts: list[bytes] = []  # the beginning of a line whose end has not arrived
        self._size = 0
        self._at_start = True
        self.too_long = False

    def feed(self, data: bytes) -> Sequence[bytes]:
        """The payloads that `data` completes, in order."""
        if self.too_long:
            return ()
        end = data.rfind(b"\n")
        if end < 0:
            self._keep(data)
            return ()
        lines = data[:end]
        if self._parts:
            self._parts.append(lines)
            lines = b"".join(self._parts)
            self._parts.clear()
            self._size = 0
        rest = data[end + 1 :]
        if self._at_start:
            self._at_start = False
            lines = lines.removeprefix(_BOM)
        payloads: list[bytes] = []
        for line in lines.split(b"\n"):
            if len(line) > self._limit:
                self.too_long = True
                return payloads
            if line.startswith(b"data:"):
                payload = line[5:].strip()
                if payload:
                    payloads.append(payload)
        if rest:
            self._keep(rest)
        return payloads

    def _keep(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size > self._limit:
            self.too_long = True
            self._parts.clear()

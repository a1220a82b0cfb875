"""Taking chosen messages out of the bytes of a NATS connection, and passing the rest on as they came."""

from collections.abc import Callable

SyncCallback = Callable[[bytes, bytes, bytes], None]
"""Called with subject, raw header block (empty if there is none) and payload. It must not raise and not block."""

_MSG, _HMSG = ord("M"), ord("H")


class FrameSplitter:
    """Cuts a NATS byte stream into whole frames. Messages of chosen subscriptions go to their callbacks at once."""

    def __init__(self, callbacks: dict[int, SyncCallback]) -> None:
        """`callbacks` by subscription id; it may change at any time. The stream must begin at a frame."""
        self._callbacks = callbacks
        self._tail = b""

    def feed(self, data: bytes) -> bytes:
        """Dispatch what is chosen and whole; return the frames for everybody else. A part of a frame is kept."""
        buffer = self._tail + data if self._tail else data
        position, end = 0, len(buffer)
        kept = 0  # frames from here to `position` are for everybody else
        others: list[bytes] = []
        callbacks = self._callbacks
        while position < end:
            line_end = buffer.find(b"\r\n", position)
            if line_end < 0:
                break
            first = buffer[position]
            if first not in (_MSG, _HMSG):  # PING, PONG, INFO, +OK, -ERR
                position = line_end + 2
                continue
            words = buffer[position:line_end].split()
            size, start = int(words[-1]), line_end + 2
            if start + size + 2 > end:
                break
            callback = callbacks.get(int(words[2]))
            if callback is not None:
                if kept < position:
                    others.append(buffer[kept:position])
                header_size = int(words[-2]) if first == _HMSG else 0
                callback(words[1], buffer[start : start + header_size], buffer[start + header_size : start + size])
                kept = start + size + 2
            position = start + size + 2
        if kept < position:
            others.append(buffer[kept:position])
        self._tail = buffer[position:]
        return b"".join(others)


def header_value(header: bytes, name: bytes) -> bytes | None:
    """One value from a raw header block; `name` as it is on the wire, with colon and blank."""
    start = header.find(name)
    if start < 0:
        return None
    start += len(name)
    return header[start : header.find(b"\r\n", start)]


def header_status(header: bytes) -> int | None:
    """The status of a message without content, such as 503 for "no responders"; None for an ordinary message."""
    if not header.startswith(b"NATS/1.0 "):
        return None
    words = header[9 : header.find(b"\r\n")].split()
    return int(words[0]) if words else None


def hpub(subject: bytes, reply: bytes, headers: bytes, payload: bytes) -> bytes:
    """The wire form of one publish with headers; `headers` is the complete block."""
    return b"HPUB %b %b %d %d\r\n%b%b\r\n" % (
        subject,
        reply,
        len(headers),
        len(headers) + len(payload),
        headers,
        payload,
    )

"""What children print: read without ever blocking them, kept in bounded files, shown on the terminal."""

import asyncio
import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

READ_BYTES = 64 * 1024
LINE_BYTES = 64 * 1024  # a longer line is cut into pieces
FILE_BYTES = 10 * 1024 * 1024  # then the file becomes `….1`; the older one is dropped
TERMINAL_LINES = 2_000  # waiting for a terminal that does not read (Ctrl-S); more are only in the files
FLUSH_SECONDS = 1.0
RECORD_LINE_END = " ⏎ "  # a line end inside a log record, which is always one line


class LineReader:
    """Calls `on_line` for each line that arrives at a file descriptor, until everybody has closed the other end."""

    def __init__(self, descriptor: int, on_line: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._on_line = on_line
        self._rest = b""
        os.set_blocking(descriptor, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._read)

    def drain(self) -> None:
        """Read what is there now."""
        while self._descriptor >= 0 and self._read():
            pass

    def close(self) -> None:
        """Read what is there, then stop reading."""
        self.drain()
        self._end()

    def _end(self) -> None:
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
        if self._rest:  # a last line without its end
            self._on_line(self._rest.decode(errors="replace"))
            self._rest = b""

    def _read(self) -> bool:
        try:
            data = os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE_BYTES:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._on_line(line.decode(errors="replace"))
        if not data:
            self._end()
        return bool(data)


class LogFile:
    """One child's log: the last run is kept as `….1`, and so is what does not fit in. Never raises on a full disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = 0
        self._file: TextIO | None = None
        self._rotate()

    def write(self, line: str) -> None:
        """Append one line."""
        with contextlib.suppress(OSError, ValueError):
            if self._size > FILE_BYTES:
                self._rotate()
            if self._file is not None:
                self._size += self._file.write(line + "\n")

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):
            if self._file is not None:
                self._file.close()
        self._file = None

    def _rotate(self) -> None:
        self.close()
        with contextlib.suppress(OSError):
            if self._path.exists():
                self._path.replace(self._path.with_name(self._path.name + ".1"))
            self._size = 0
            self._file = self._path.open("w", encoding="utf-8", errors="replace", buffering=1)


class Terminal:
    """Prints from a thread of its own, so that a terminal that is held (Ctrl-S) or closed holds up nobody."""

    def __init__(self, descriptor: int | None = None) -> None:
        # Not through sys.stdout: its lock, held by a thread that waits for a terminal, would break our own exit.
        self._descriptor = sys.stdout.fileno() if descriptor is None else descriptor
        self._lines: queue.Queue[str | None] = queue.Queue(TERMINAL_LINES)
        self._thread = threading.Thread(target=self._print, name="terminal", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Print one line soon, or drop it when thousands wait already."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(line)

    def close(self) -> None:
        """Print what waits, for a bounded time."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)
        self._thread.join(FLUSH_SECONDS)

    def _print(self) -> None:
        while (line := self._lines.get()) is not None:
            with contextlib.suppress(OSError):
                text = f"{line}\n".encode(errors="replace")
                while text:
                    text = text[os.write(self._descriptor, text) :]

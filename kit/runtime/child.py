"""One child process: started, known to be ready, its output read line by line, stopped within a deadline."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kit.runtime.errors import StartError
from kit.runtime.output import RECORD_LINE_END, LineReader

READY_FD_VARIABLE = "STUDIO_READY_FD"
READY_WORD = b"ready\n"
POLL_SECONDS = 0.025
KILL_SECONDS = 5.0  # SIGKILL needs no consent; longer means the kernel holds the process (a dead disk)
LAST_LINES_KEPT = 20

_SPAWN = str(Path(__file__).with_name("spawn.py"))


@dataclass(frozen=True, kw_only=True)
class ChildSpec:
    """How to start, recognise as ready, and stop one program."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)  # added to ours
    identity: str = "-"  # see spawn.py
    probe: Callable[[], Awaitable[bool]] | None = None  # none: the program writes to STUDIO_READY_FD
    stop_signal: signal.Signals = signal.SIGTERM
    start_seconds: float = 90.0  # longer than a service gives itself: it says why it does not start
    stop_seconds: float = 12.0
    tries: int = 1  # of the very first start; a running child is always started again
    shows: Callable[[str], bool] = lambda line: True  # which lines are worth the terminal
    blames: Callable[[str], bool] = lambda line: True  # which lines can say why a start failed


class Child:
    """A running `ChildSpec`, leader of a process group of its own: the terminal's Ctrl-C does not reach it.

    Start it from the main thread: on Linux a child is told to stop when the thread that started it ends.
    """

    def __init__(self, spec: ChildSpec, on_line: Callable[[str], None] = lambda line: None) -> None:
        self.spec = spec
        self._on_line = on_line
        self._last_lines: list[str] = []
        self._process: asyncio.subprocess.Process | None = None
        self._output: LineReader | None = None
        self._ready_pipe = -1

    @property
    def pid(self) -> int:
        """The process id, also after the process has ended."""
        return self._running.pid

    @property
    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError(f"{self.spec.name} was not started")
        return self._process

    async def spawn(self) -> None:
        """Start the program; it is not ready yet. Raises OSError when there is no such program."""
        reading, writing = os.pipe()
        self._ready_pipe, ready_write = os.pipe()
        os.set_blocking(self._ready_pipe, False)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", _SPAWN),
                *(str(os.getpid()), str(int(self.spec.stop_signal)), self.spec.identity),
                *self.spec.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                env={**os.environ, **self.spec.env, READY_FD_VARIABLE: str(ready_write)},
                pass_fds=(ready_write,),
                start_new_session=True,
            )
        finally:
            os.close(writing)
            os.close(ready_write)
            self._output = LineReader(reading, self._line)

    async def until_ready(self) -> None:
        """Wait until the program can be used. Raises StartError when it ends first or takes too long."""
        exited = asyncio.ensure_future(self._running.wait())
        try:
            async with asyncio.timeout(self.spec.start_seconds):
                while not await (self.spec.probe or self._said_ready)():
                    await asyncio.wait({exited}, timeout=POLL_SECONDS)
                    if exited.done():
                        raise StartError(f"{self.spec.name} {describe(exited.result())}{self.reason()}")
        except TimeoutError:
            raise StartError(
                f"{self.spec.name} was not ready after {self.spec.start_seconds:.0f} s{self.reason()}"
            ) from None
        finally:
            exited.cancel()
            os.close(self._ready_pipe)

    async def wait(self) -> int:
        """The exit code; negative is a signal."""
        return await self._running.wait()

    async def stop(self) -> None:
        """Ask, then insist after `stop_seconds`. Nothing of the process group is left afterwards."""
        process = self._running
        with contextlib.suppress(ProcessLookupError, TimeoutError):
            process.send_signal(self.spec.stop_signal)
            async with asyncio.timeout(self.spec.stop_seconds):
                await process.wait()
        await self.kill()

    async def kill(self) -> None:
        """SIGKILL to the whole group, and wait for the end."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KILL_SECONDS):
                await self._running.wait()
        if self._output is not None:
            self._output.close()

    def reason(self) -> str:
        """`: the last line that can say why it failed`, or nothing."""
        if self._output is not None:
            self._output.drain()
        blamed = [line for line in self._last_lines if self.spec.blames(line)]
        return f": {blamed[-1].partition(RECORD_LINE_END)[0].strip()}" if blamed else ""

    async def _said_ready(self) -> bool:
        try:
            return os.read(self._ready_pipe, len(READY_WORD)) == READY_WORD
        except BlockingIOError:
            return False

    def _line(self, line: str) -> None:
        if line.strip():
            self._last_lines = [*self._last_lines[1 - LAST_LINES_KEPT :], line]
        self._on_line(line)


def describe(code: int) -> str:
    """An exit code in words: `was killed by SIGKILL`, `ended with exit code 1`."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"

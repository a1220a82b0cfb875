"""One process under the runner's control: killed, paused and stopped at will, and always started again."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO

import psutil

from kit.runtime.child import Child, ChildSpec, describe
from kit.runtime.errors import StartError
from kit.runtime.guard import Guard

READY_SECONDS = 120.0
START_PAUSE_SECONDS = 0.2
STOP_SECONDS = 20.0


class Member:
    """A process that comes back, as under an operator's supervisor. Its output goes to a file named after it.

    Every way of taking it down says after how many seconds it is started again.
    """

    def __init__(self, kind: str, name: str, spec: Callable[[], Awaitable[ChildSpec]], folder: Path) -> None:
        self.kind, self.name = kind, name
        self.guard: Guard | None = None
        """Takes the process down when the runner itself is killed, also one that stands still."""
        self.ready = asyncio.Event()
        self.crashes: list[str] = []
        """Ends that nobody here had asked for."""
        self.failed_starts: list[str] = []
        self.slow_stops: list[str] = []
        """Ends after SIGTERM that were not clean."""
        self._spec = spec
        self._log_path = folder / f"{name}.log"
        self._log: IO[str] | None = None
        self._child: Child | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()  # it may run
        self._wanted.set()
        self._asked = False  # its next end is our doing
        self._pause = 0.0
        self._stopped: list[int] = []

    @property
    def opened(self) -> bool:
        """Whether it has been started at all."""
        return self._keeper is not None

    @property
    def pid(self) -> int:
        """The process id of the newest start."""
        assert self._child is not None
        return self._child.pid

    def pids(self) -> list[int]:
        """It and every process that it has started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [self.pid, *(child.pid for child in psutil.Process(self.pid).children(recursive=True))]
        return []

    async def open(self) -> None:
        """Start it, and wait until it can work. Raises TimeoutError."""
        self._log = self._log_path.open("a", encoding="utf-8")
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")
        await self.until_ready()

    async def until_ready(self) -> None:
        """Wait until it can work. Raises TimeoutError with what it said."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self.ready.wait()
        except TimeoutError:
            raise TimeoutError(f"{self.name} is not ready: {self.failed_starts[-3:]}; see {self._log_path}") from None

    async def close(self) -> None:
        """Stop it for good; nothing of it is left."""
        self.resume()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._child is not None:
            await self._child.stop()
            self._unguard(self._child)
        if self._log is not None:
            self._log.close()

    # -- what is done to it ---------------------------------------------------------------------------------------

    def kill(self, back_after: float) -> None:
        """SIGKILL, to all of it at once."""
        self._take_down(back_after)
        self._signal(signal.SIGKILL)

    def hold(self) -> None:
        """SIGKILL, and keep it down until `let_go`."""
        self._wanted.clear()
        self.kill(0)

    async def retire(self) -> None:
        """SIGTERM, and keep it down until `let_go`."""
        self._wanted.clear()
        await self.terminate()

    def let_go(self) -> None:
        """It may run again."""
        self._wanted.set()

    def pause(self) -> None:
        """SIGSTOP: it stands still, and its connections stay open."""
        self._stopped = self.pids()
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        for pid in self._stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._stopped = []

    async def terminate(self, back_after: float = 0) -> None:
        """SIGTERM as a deploy sends it, and SIGKILL if it does not go; returns when it is gone."""
        child = self._child
        assert child is not None
        self._take_down(back_after)
        os.kill(child.pid, child.spec.stop_signal)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                code = await child.wait()
        except TimeoutError:
            self.slow_stops.append(f"{self.name} did not stop within {STOP_SECONDS:g} s")
            self._signal(signal.SIGKILL)
            await child.wait()
        else:
            if code != 0:
                self.slow_stops.append(f"{self.name} {describe(code)} after SIGTERM")

    def _take_down(self, back_after: float) -> None:
        self._asked, self._pause = True, back_after
        self.ready.clear()

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    # -- keeping it running ---------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        while True:
            await self._wanted.wait()
            child = await self._start()
            if child is not None:
                self._asked = False
                self.ready.set()
                code = await child.wait()
                self.ready.clear()
                await child.kill()  # whatever it had started itself
                self._unguard(child)
                if not self._asked:
                    self.crashes.append(f"{self.name} {describe(code)}")
            await asyncio.sleep(self._pause)

    async def _start(self) -> Child | None:
        self._child = child = Child(await self._spec(), self._write)
        spawning = asyncio.create_task(child.spawn())
        try:
            await asyncio.shield(spawning)  # not to be cancelled half-way: nobody would know of the process
            if self.guard is not None:
                self.guard.add(child.pid, child.spec.stop_signal)
            await child.until_ready()
        except StartError as error:
            if not self._asked:
                self.failed_starts.append(str(error))
            self._pause = max(self._pause, START_PAUSE_SECONDS)
            await child.kill()
            self._unguard(child)
            return None
        except BaseException:
            await spawning
            await child.kill()
            raise
        return child

    def _unguard(self, child: Child) -> None:
        if self.guard is not None:
            self.guard.remove(child.pid)

    def _write(self, line: str) -> None:
        if self._log is not None:
            self._log.write(line.rstrip("\n") + "\n")
            self._log.flush()

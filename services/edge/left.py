"""Runs that nobody waits for any more: what was asked for one client alone is stopped when that client is gone."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from contracts.chat import CancelRun
from contracts.message import Owner
from kit.bus.rpc import Unavailable
from kit.refusal import Refused

log = logging.getLogger(__name__)

TRIES = 5
PAUSE_SECONDS = 2.0
"""Between two of them; chat or the bus may be away for a moment."""
CLOSE_SECONDS = 5.0
"""For the last ones, when this process stops."""


class LeftRuns:
    """Stops each run some time after it was left; all at once when this process stops.

    A process that is killed stops none: those go on to their own end.
    """

    def __init__(self, ask: Callable[[CancelRun], Awaitable[Any]], seconds: float) -> None:
        self._ask, self._seconds = ask, seconds
        self._closing = asyncio.Event()
        self._stopping: set[asyncio.Task[None]] = set()

    def leave(self, owner: Owner, run_id: str) -> None:
        """Nobody waits for this run."""
        task = asyncio.create_task(self._stop(owner, run_id), name=f"stop {run_id}")
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def close(self) -> None:
        """Stop what was left, now."""
        self._closing.set()
        if self._stopping:
            await asyncio.wait(self._stopping, timeout=CLOSE_SECONDS)
        for task in self._stopping:
            task.cancel()

    async def _stop(self, owner: Owner, run_id: str) -> None:
        await self._pause(self._seconds)
        for _ in range(TRIES):
            try:
                await self._ask(CancelRun(owner=owner, run_id=run_id))
                return
            except Unavailable:
                if self._closing.is_set():
                    break
                await self._pause(PAUSE_SECONDS)
            except Refused as refused:
                if refused.problem.code != "unavailable":
                    return  # it never began, or was deleted
                await self._pause(PAUSE_SECONDS)
        log.warning("run %s was left and could not be stopped: it goes on to its end", run_id)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass

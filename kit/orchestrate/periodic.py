"""Work that is done again and again for as long as the service runs."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from kit.tasks import cancelled

log = logging.getLogger(__name__)


async def every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work`, wait, do it again. An error is told and does not end it: what was away may be back next time."""
    while True:
        try:
            await work()
        except Exception as error:
            log.warning("%s: %r; trying again", work.__qualname__, error)
        await asyncio.sleep(seconds)


class Periodic:
    """Such work as a part of a service, to be started and stopped."""

    def __init__(self, name: str, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        self._name, self._seconds, self._work = name, seconds, work
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(every(self._seconds, self._work), name=self._name)

    async def stop(self) -> None:
        """Break it off wherever it is, and do it no more."""
        if self._task is not None:
            await cancelled(self._task)


async def one_of_many(what: str, work: Awaitable[None]) -> None:
    """One that fails must not keep the others waiting. TimeoutError is raised: a bus that is away fails them all."""
    try:
        await work
    except TimeoutError:
        raise
    except Exception as error:
        log.error("%s: %r", what, error)

"""Marks on runs that say how far their messages have come, written together: one statement for all of some time."""

import asyncio
from collections.abc import Collection
from typing import Literal

from kit.db.database import Database
from kit.db.statement import Statement
from services.chat.periodic import every

Mark = Literal["announced_at", "dispatched_at", "told_at"]

MARK_EVERY_SECONDS = 0.25

_STATEMENTS: dict[Mark, Statement] = {
    "announced_at": Statement("UPDATE chat.run SET announced_at = now() WHERE id = ANY(:ids) AND announced_at IS NULL"),
    "dispatched_at": Statement(
        "UPDATE chat.run SET dispatched_at = now() WHERE id = ANY(:ids) AND dispatched_at IS NULL"
    ),
    "told_at": Statement("UPDATE chat.run SET told_at = now() WHERE id = ANY(:ids) AND told_at IS NULL"),
}


class Marks:
    """`dispatched_at`: the run's order is on the bus. `told_at`: its ending is in its log. `announced_at`: its log says
    that it waits.

    A mark that is lost with its process is no harm: the sweeps find the run, do the same again, and mark it then.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[Mark, set[str]] = {mark: set() for mark in _STATEMENTS}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(every(MARK_EVERY_SECONDS, self.write), name="marks")

    async def stop(self) -> None:
        """Write what is left."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.write()

    def add(self, mark: Mark, run_id: str) -> None:
        """Mark a run soon."""
        self._waiting[mark].add(run_id)

    def waiting(self, mark: Mark) -> Collection[str]:
        """The runs that are about to be marked."""
        return self._waiting[mark]

    async def write(self) -> None:
        """Mark all that wait. Raises what the database raises; they wait on then."""
        for mark, ids in self._waiting.items():
            if ids:
                written = list(ids)
                await self._database.fetch(_STATEMENTS[mark], {"ids": written})
                ids.difference_update(written)

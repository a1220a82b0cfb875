"""Marks on runs that say how far their messages have come, written together: one statement for all of some time."""

from collections.abc import Collection, Sequence
from typing import Generic, TypeVar

from kit.db.database import Database
from kit.db.statement import Statement
from kit.orchestrate.periodic import Periodic

MARK_EVERY_SECONDS = 0.25

M = TypeVar("M", bound=str)
"""The columns that may be marked, as literals."""


class Marks(Generic[M]):
    """Columns that hold a moment, null until a row is marked.

    A mark that is lost with its process is no harm: the sweeps find the run, do the same again, and mark it then.
    """

    def __init__(self, database: Database, table: str, marks: Sequence[M]) -> None:
        """`table` with its schema; it has a column `id`, and one for each of `marks`."""
        self._database = database
        self._statements = {
            mark: Statement(f"UPDATE {table} SET {mark} = now() WHERE id = ANY(:ids) AND {mark} IS NULL")  # noqa: S608
            for mark in marks
        }
        self._waiting: dict[M, set[str]] = {mark: set() for mark in marks}
        self._writing = Periodic("marks", MARK_EVERY_SECONDS, self.write)

    async def start(self) -> None:
        """Begin to write."""
        await self._writing.start()

    async def stop(self) -> None:
        """Write what is left."""
        await self._writing.stop()
        await self.write()

    def add(self, mark: M, run_id: str) -> None:
        """Mark a run soon."""
        self._waiting[mark].add(run_id)

    def waiting(self, mark: M) -> Collection[str]:
        """The runs that are about to be marked."""
        return self._waiting[mark]

    async def write(self) -> None:
        """Mark all that wait. Raises what the database raises; they wait on then."""
        for mark, ids in self._waiting.items():
            if ids:
                written = list(ids)
                await self._database.fetch(self._statements[mark], {"ids": written})
                ids.difference_update(written)

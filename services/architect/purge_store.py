"""The logs that are to go: of runs that ended long enough ago, and of those that were deleted."""

from kit.db.database import Database
from kit.orchestrate.purge_table import PurgeTable

BATCH = 100
"""Runs retired at once, so that a deleted run does not wait behind all that is old."""

PURGES = PurgeTable("architect")
DELETE_RUN = f"""
    WITH gone AS (
        DELETE FROM architect.run WHERE id = :run_id
        RETURNING id, tenant, "user", true AS long_question, purged_at
    ), todo AS (SELECT * FROM gone WHERE purged_at IS NULL)
    {PURGES.order("todo")}
"""  # noqa: S608  (put together from constants)


class Old:
    """Runs that ended long enough ago."""

    def __init__(self, database: Database, seconds: float) -> None:
        self._database, self._seconds = database, seconds

    async def order(self) -> bool:
        """Order the purge of a batch of them; whether there were any."""
        return bool(await PURGES.retire(self._database, self._seconds, BATCH))

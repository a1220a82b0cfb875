"""The logs that are to go: of runs that ended long enough ago, and of those that were deleted."""

from kit.bus.blobs import MAX_INLINE_BYTES
from kit.db.database import Database
from kit.orchestrate.purge_table import PurgeTable

BATCH = 100
"""Runs retired at once, so that a deleted comparison does not wait behind all that is old."""
_MORE_PER_TURN = 100
"""Bytes of an order that a row does not have, at most: it leaves out what is empty."""
_LONG = f"(octet_length(run.turns::text) + {_MORE_PER_TURN} * jsonb_array_length(run.turns) > {MAX_INLINE_BYTES})"
"""The question may have gone by reference (kit/orchestrate/carried.py)."""

PURGES = PurgeTable("compare", _LONG)
DELETE_RUN = f"""
    WITH gone AS (
        DELETE FROM compare.run WHERE id = :run_id
        RETURNING id, tenant, "user", {_LONG} AS long_question, purged_at
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

"""Which runs leave the log, and which conversations and completions leave with theirs."""

from kit.bus.blobs import MAX_INLINE_BYTES
from kit.db.database import Database
from kit.db.statement import Statement
from kit.orchestrate.purge_table import PurgeTable

_LONG = f"(octet_length(run.request::text) > {MAX_INLINE_BYTES} OR run.request::text LIKE '%\"attachment\"%')"
"""The question may have gone by reference (kit/orchestrate/carried.py)."""
PURGES = PurgeTable("chat", long=_LONG)
BATCH = 100
"""Runs retired at once, so that a deleted conversation does not wait behind all that is old."""

DELETE_RUNS = f"""
    WITH gone AS (
        DELETE FROM chat.run WHERE conversation_id = :conversation_id
        RETURNING run.id, run.tenant, run."user", {_LONG} AS long_question, run.purged_at
    ), todo AS (SELECT * FROM gone WHERE purged_at IS NULL)
    {PURGES.order("todo")}
"""  # noqa: S608  (put together from constants, here and below)
_EXPIRE = Statement(f"""
    WITH due AS (
        SELECT id, conversation_id FROM chat.run
        WHERE hidden AND told_at IS NOT NULL AND dispatched_at IS NOT NULL
          AND ended_at < now() - make_interval(secs => :seconds)
        ORDER BY ended_at LIMIT :limit FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM chat.run USING due WHERE run.id = due.id
        RETURNING run.id, run.tenant, run."user", {_LONG} AS long_question, run.purged_at
    ), conversation AS (
        DELETE FROM chat.conversation USING due WHERE conversation.id = due.conversation_id AND conversation.hidden
    ), todo AS (SELECT * FROM gone WHERE purged_at IS NULL), ordered AS ({PURGES.order("todo")})
    SELECT id FROM gone
""")  # noqa: S608


class Old:
    """What of chat is old enough to leave the log."""

    def __init__(self, database: Database, *, run_seconds: float, completion_seconds: float) -> None:
        """Seconds from the end of a run on: until its log goes; until a completion goes, with all that is stored."""
        self._database, self._runs, self._completions = database, run_seconds, completion_seconds

    async def order(self) -> bool:
        """Order the purge of some; whether there were any."""
        retired = await PURGES.retire(self._database, self._runs, BATCH)
        return bool(await expire(self._database, self._completions, BATCH) or retired)


async def expire(database: Database, seconds: float, limit: int) -> int:
    """Delete completions that ended so long ago, the oldest first; returns how many. Their logs are purged."""
    return len(await database.fetch(_EXPIRE, {"seconds": seconds, "limit": limit}))

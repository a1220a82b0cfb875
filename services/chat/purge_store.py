"""The purges to do: rows that outlive the process that asked, and the runs and conversations they are about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.message import Owner
from kit.bus.blobs import MAX_INLINE_BYTES
from kit.db.database import Database
from kit.db.statement import Statement

_LONG = f"(octet_length(request::text) > {MAX_INLINE_BYTES} OR request::text LIKE '%\"attachment\"%')"
"""The question may have gone by reference (services/chat/dispatch.py)."""
_ORDER = f"""
    INSERT INTO chat.log_purge AS known (run_id, tenant, "user", long_question, asked_at)
    SELECT id, tenant, "user", {_LONG}, now() FROM gone
    ON CONFLICT (run_id) DO UPDATE SET
        asked_at = now(), due_at = now(), purged = false, long_question = known.long_question OR excluded.long_question
"""  # noqa: S608  (put together from constants, here and below)
_RETIRE = Statement(f"""
    WITH due AS (
        SELECT id FROM chat.run
        WHERE told_at IS NOT NULL AND purged_at IS NULL AND dispatched_at IS NOT NULL AND status <> 'running'
          AND ended_at < now() - make_interval(secs => :retention_seconds)
        ORDER BY ended_at LIMIT :limit FOR UPDATE SKIP LOCKED
    ), gone AS (
        UPDATE chat.run SET purged_at = now() FROM due WHERE run.id = due.id
        RETURNING run.id, run.tenant, run."user", run.request
    )
    {_ORDER} RETURNING run_id
""")  # noqa: S608
DELETE_RUNS = f"""
    WITH gone AS (
        DELETE FROM chat.run WHERE conversation_id = :conversation_id RETURNING id, tenant, "user", request, purged_at
    ), todo AS (SELECT * FROM gone WHERE purged_at IS NULL)
    {_ORDER.replace("FROM gone", "FROM todo")}
"""  # noqa: S608
_EXPIRE = Statement(f"""
    WITH due AS (
        SELECT id, conversation_id FROM chat.run
        WHERE hidden AND told_at IS NOT NULL AND dispatched_at IS NOT NULL
          AND ended_at < now() - make_interval(secs => :seconds)
        ORDER BY ended_at LIMIT :limit FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM chat.run USING due WHERE run.id = due.id
        RETURNING run.id, run.tenant, run."user", run.request, run.purged_at
    ), conversation AS (
        DELETE FROM chat.conversation USING due WHERE conversation.id = due.conversation_id AND conversation.hidden
    ), todo AS (SELECT * FROM gone WHERE purged_at IS NULL), ordered AS ({_ORDER.replace("FROM gone", "FROM todo")})
    SELECT id FROM gone
""")  # noqa: S608
_ASK = Statement("""
    INSERT INTO chat.log_purge (run_id, tenant, "user", long_question, asked_at)
    SELECT :run_id, :tenant, :user, false, now()
    WHERE NOT EXISTS (SELECT FROM chat.run WHERE id = :run_id AND purged_at IS NULL)
    ON CONFLICT (run_id) DO UPDATE SET asked_at = now(), due_at = now(), purged = false
""")
_NEXT = Statement("""
    SELECT run_id, tenant, "user", long_question, asked_at, purged FROM chat.log_purge
    WHERE due_at <= now() ORDER BY due_at LIMIT 1
""")
_DONE = Statement("DELETE FROM chat.log_purge WHERE run_id = :run_id AND asked_at = :asked_at")
_AGAIN = Statement("""
    UPDATE chat.log_purge SET due_at = now() + make_interval(secs => :seconds), purged = :purged
    WHERE run_id = :run_id AND asked_at = :asked_at
""")


@dataclass(frozen=True, slots=True)
class Purge:
    """The log of one run is to go. `asked_at` tells whether it was asked for again meanwhile.

    `purged`: it has gone, and is looked at once more.
    """

    run_id: str
    tenant: str
    user: str
    long_question: bool
    asked_at: datetime
    purged: bool


async def retire(database: Database, retention_seconds: float, limit: int) -> Sequence[str]:
    """Order the purge of runs that ended long enough ago, the oldest first; returns their ids.

    Each is marked in the same transaction, so that whatever is said of it later is known to come too late.
    """
    rows = await database.fetch(_RETIRE, {"retention_seconds": retention_seconds, "limit": limit})
    return [row["run_id"] for row in rows]


async def expire(database: Database, seconds: float, limit: int) -> int:
    """Delete completions that ended so long ago, the oldest first; returns how many. Their logs are purged."""
    return len(await database.fetch(_EXPIRE, {"seconds": seconds, "limit": limit}))


async def ask(database: Database, owner: Owner, run_id: str) -> None:
    """Order the purge of a run that somebody has written to although its log was purged before."""
    await database.fetch(_ASK, {"run_id": run_id, "tenant": owner.tenant, "user": owner.user})


async def following(database: Database) -> Purge | None:
    """The purge that is due for the longest time."""
    rows = await database.fetch(_NEXT, {})
    return Purge(**rows[0]) if rows else None


async def done(database: Database, purge: Purge) -> None:
    """It is done, unless it was asked for again in the meantime."""
    await database.fetch(_DONE, {"run_id": purge.run_id, "asked_at": purge.asked_at})


async def again(database: Database, purge: Purge, seconds: float, *, purged: bool) -> None:
    """Come back to it after so many seconds, or earlier if it was asked for again in the meantime."""
    values = {"run_id": purge.run_id, "asked_at": purge.asked_at, "seconds": seconds, "purged": purged}
    await database.fetch(_AGAIN, values)

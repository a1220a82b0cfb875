"""The purges to do: rows that outlive the process that asked for them.

A service's schema has a table `log_purge (run_id text PRIMARY KEY, tenant text, "user" text, long_question boolean,
asked_at timestamptz, due_at timestamptz DEFAULT now(), purged boolean DEFAULT false)`, and a table `run` with `id`,
`tenant`, `user` and the moments `ended_at`, `dispatched_at`, `told_at` and `purged_at`.
"""

from dataclasses import dataclass
from datetime import datetime

from contracts.message import Owner
from kit.db.database import Database
from kit.db.statement import Statement

_ASK = """
    INSERT INTO {schema}.log_purge (run_id, tenant, "user", long_question, asked_at)
    SELECT :run_id, :tenant, :user, false, now()
    WHERE NOT EXISTS (SELECT FROM {schema}.run WHERE id = :run_id AND purged_at IS NULL)
    ON CONFLICT (run_id) DO UPDATE SET asked_at = now(), due_at = now(), purged = false
"""
_NEXT = """
    SELECT run_id, tenant, "user", long_question, asked_at, purged FROM {schema}.log_purge
    WHERE due_at <= now() ORDER BY due_at LIMIT 1
"""
_DONE = "DELETE FROM {schema}.log_purge WHERE run_id = :run_id AND asked_at = :asked_at"
_AGAIN = """
    UPDATE {schema}.log_purge SET due_at = now() + make_interval(secs => :seconds), purged = :purged
    WHERE run_id = :run_id AND asked_at = :asked_at
"""
_ORDER = """
    INSERT INTO {schema}.log_purge AS known (run_id, tenant, "user", long_question, asked_at)
    SELECT id, tenant, "user", long_question, now() FROM {source}
    ON CONFLICT (run_id) DO UPDATE SET
        asked_at = now(), due_at = now(), purged = false, long_question = known.long_question OR excluded.long_question
"""
_RETIRE = """
    WITH due AS (
        SELECT id FROM {schema}.run
        WHERE told_at IS NOT NULL AND purged_at IS NULL AND dispatched_at IS NOT NULL
          AND ended_at < now() - make_interval(secs => :seconds)
        ORDER BY ended_at LIMIT :limit FOR UPDATE SKIP LOCKED
    ), gone AS (
        UPDATE {schema}.run SET purged_at = now() FROM due WHERE run.id = due.id
        RETURNING run.id, run.tenant, run."user", {long} AS long_question
    )
    {order} RETURNING run_id
"""


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


class PurgeTable:
    """The orders to purge of one service."""

    def __init__(self, schema: str, long: str = "true") -> None:
        """`long` is SQL over a row of `run`: whether its question may have gone by reference (carried.py)."""
        self._schema = schema
        self._ask, self._next, self._done, self._again = (
            Statement(sql.format(schema=schema)) for sql in (_ASK, _NEXT, _DONE, _AGAIN)
        )
        self._retire = Statement(_RETIRE.format(schema=schema, long=long, order=self.order("gone")))

    def order(self, source: str) -> str:
        """SQL that orders the purge of all rows of `source`: `id`, `tenant`, `user`, `long_question`."""
        return _ORDER.format(schema=self._schema, source=source)

    async def retire(self, database: Database, seconds: float, limit: int) -> int:
        """Order the purge of runs that ended so long ago, the oldest first; returns how many.

        Each is marked in the same transaction, so that whatever is said of it later is known to come too late.
        """
        return len(await database.fetch(self._retire, {"seconds": seconds, "limit": limit}))

    async def ask(self, database: Database, owner: Owner, run_id: str) -> None:
        """Order the purge of a run that somebody has written to although its log was purged before."""
        await database.fetch(self._ask, {"run_id": run_id, "tenant": owner.tenant, "user": owner.user})

    async def following(self, database: Database) -> Purge | None:
        """The purge that is due for the longest time."""
        rows = await database.fetch(self._next, {})
        return Purge(**rows[0]) if rows else None

    async def done(self, database: Database, purge: Purge) -> None:
        """It is done, unless it was asked for again in the meantime."""
        await database.fetch(self._done, {"run_id": purge.run_id, "asked_at": purge.asked_at})

    async def again(self, database: Database, purge: Purge, seconds: float, *, purged: bool) -> None:
        """Come back to it after so many seconds, or earlier if it was asked for again in the meantime."""
        values = {"run_id": purge.run_id, "asked_at": purge.asked_at, "seconds": seconds, "purged": purged}
        await database.fetch(self._again, values)

"""Reading and writing notices: what happened, once, and what was decided about it, once. One round trip each."""

from collections.abc import Sequence

import asyncpg

from contracts.message import Owner
from contracts.notifier_facts import NotificationEndedFact
from kit.db.database import Database
from kit.db.statement import Statement
from kit.ids import new_id
from services.notifier.core import Happened, Place, Wanted
from services.notifier.models import NoticeRow
from services.notifier.shown import not_sent_fact

_RECORD = Statement("""
    INSERT INTO notifier.notice (id, run_id, about, tenant, "user", outcome, policy, status, reason, happened_at,
                                 decide_at, decided_at)
    VALUES (:id, :run_id, :about, :tenant, :user, :outcome, :policy,
            CASE WHEN CAST(:reason AS text) IS NULL THEN 'waiting' ELSE 'not_told' END, CAST(:reason AS text),
            :happened_at, now() + make_interval(secs => :grace),
            CASE WHEN CAST(:reason AS text) IS NULL THEN NULL ELSE now() END)
    ON CONFLICT (run_id, about) DO NOTHING RETURNING id
""")
_DUE = Statement("""
    SELECT * FROM notifier.notice WHERE status = 'waiting' AND decide_at <= now() ORDER BY decide_at LIMIT :limit
""")
_FIND = Statement("SELECT * FROM notifier.notice WHERE id = :id")
_OWNED = Statement('SELECT * FROM notifier.notice WHERE id = :id AND tenant = :tenant AND "user" = :user')
_PAGE = Statement("""
    SELECT * FROM notifier.notice
    WHERE tenant = :tenant AND "user" = :user AND id < COALESCE(CAST(:before AS text), '~')
      AND (CAST(:run_id AS text) IS NULL OR run_id = CAST(:run_id AS text))
    ORDER BY id DESC LIMIT :limit
""")
_NOT_TOLD = Statement("""
    UPDATE notifier.notice SET status = 'not_told', reason = :reason, decided_at = now()
    WHERE id = :id AND status = 'waiting'
""")
_TOLD = Statement("""
    WITH decided AS (
        UPDATE notifier.notice SET status = 'told', decided_at = now() WHERE id = :id AND status = 'waiting'
        RETURNING id, tenant, "user"
    )
    INSERT INTO notifier.delivery (id, notice_id, tenant, "user", channel, place, target, status, attempts, next_at)
    SELECT place.delivery_id, decided.id, decided.tenant, decided."user", place.channel, place.place, place.target,
           'waiting', 0, now()
    FROM decided, unnest(CAST(:ids AS text[]), CAST(:channels AS text[]), CAST(:places AS text[]),
                         CAST(:targets AS text[])) AS place (delivery_id, channel, place, target)
    RETURNING id
""")
_UNTOLD = Statement("""
    SELECT * FROM notifier.notice WHERE status = 'not_told' AND told_at IS NULL ORDER BY decided_at LIMIT :limit
""")
_MARK = Statement("UPDATE notifier.notice SET told_at = now() WHERE id = ANY(CAST(:ids AS text[]))")
_FORGET = Statement("""
    DELETE FROM notifier.notice WHERE id IN (
        SELECT id FROM notifier.notice WHERE happened_at < now() - make_interval(secs => :seconds)
        ORDER BY happened_at LIMIT :limit
    ) RETURNING id
""")


class NoticeStore:
    """The notices of all users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, happened: Happened, want: Wanted, grace_seconds: float) -> str | None:
        """Keep what happened, to be decided after so long, or decided already; None if it is known."""
        rows = await self._database.fetch(
            _RECORD,
            {
                "id": new_id("ntf"),
                "run_id": happened.run_id,
                "about": happened.about,
                "tenant": happened.owner.tenant,
                "user": happened.owner.user,
                "outcome": happened.outcome,
                "policy": want.policy,
                "reason": want.reason,
                "happened_at": happened.at,
                "grace": float(grace_seconds),
            },
        )
        return str(rows[0]["id"]) if rows else None

    async def find(self, notice_id: str) -> NoticeRow | None:
        """One notice; None when it has grown old."""
        rows = await self._database.fetch(_FIND, {"id": notice_id})
        return _row(rows[0]) if rows else None

    async def owned(self, owner: Owner, notice_id: str) -> NoticeRow | None:
        """One notice of an owner."""
        rows = await self._database.fetch(_OWNED, {"id": notice_id, "tenant": owner.tenant, "user": owner.user})
        return _row(rows[0]) if rows else None

    async def page(self, owner: Owner, limit: int, before: str | None, run_id: str | None) -> Sequence[NoticeRow]:
        """Notices of an owner, the newest first."""
        values = {"tenant": owner.tenant, "user": owner.user, "limit": limit, "before": before, "run_id": run_id}
        return [_row(row) for row in await self._database.fetch(_PAGE, values)]

    async def due(self, limit: int) -> Sequence[NoticeRow]:
        """Notices whose grace is over, the oldest first."""
        return [_row(row) for row in await self._database.fetch(_DUE, {"limit": limit})]

    async def not_told(self, notice_id: str, reason: str) -> None:
        """Decide that it is not told, unless something was decided before."""
        await self._database.fetch(_NOT_TOLD, {"id": notice_id, "reason": reason})

    async def told(self, notice_id: str, places: Sequence[Place]) -> bool:
        """Decide that it is told at these places, unless something was decided before. Returns whether it was not."""
        values = {
            "id": notice_id,
            "ids": [new_id("dlv") for _ in places],
            "channels": [place.channel for place in places],
            "places": [place.id for place in places],
            "targets": [place.target for place in places],
        }
        return bool(await self._database.fetch(_TOLD, values))

    async def untold(self, limit: int) -> Sequence[tuple[str, NotificationEndedFact]]:
        """Ids, and what the bus has not been told of them: that they are not told."""
        rows = await self._database.fetch(_UNTOLD, {"limit": limit})
        return [(row["id"], not_sent_fact(_row(row))) for row in rows]

    async def mark(self, ids: Sequence[str]) -> None:
        """The bus has been told of these."""
        await self._database.fetch(_MARK, {"ids": list(ids)})

    async def forget(self, seconds: float, limit: int) -> int:
        """Delete what happened so long ago, with its deliveries; returns how many."""
        return len(await self._database.fetch(_FORGET, {"seconds": float(seconds), "limit": limit}))


def _row(found: asyncpg.Record) -> NoticeRow:
    return NoticeRow(**found)

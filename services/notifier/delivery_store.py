"""Reading and writing deliveries. The table is the queue: a replica claims what is due, and loses it by silence."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from contracts.message import Problem
from kit.db.database import Database
from kit.db.statement import Statement
from services.notifier.models import DeliveryRow

_CLAIM = Statement("""
    WITH due AS (
        SELECT id FROM notifier.delivery
        WHERE status = 'waiting' AND next_at <= now() AND (claimed_until IS NULL OR claimed_until < now())
        ORDER BY next_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE notifier.delivery SET claim = :claim, claimed_until = now() + make_interval(secs => :seconds),
        attempts = attempts + 1, first_at = COALESCE(first_at, now())
    FROM due WHERE delivery.id = due.id RETURNING delivery.*
""")
_HAND_OVER = Statement("""
    UPDATE notifier.delivery SET handed_over_at = now(), target = :target
    WHERE id = :id AND status = 'waiting' AND claim = :claim AND claimed_until > now() RETURNING id
""")
_SENT = Statement("""
    UPDATE notifier.delivery SET status = 'sent', sent_at = now(), error = NULL, claim = NULL, claimed_until = NULL,
        told_at = NULL
    WHERE id = :id AND status = 'waiting'
""")
_ENDED = Statement("""
    UPDATE notifier.delivery SET status = :status, target = :target, error = CAST(:error AS jsonb), claim = NULL,
        claimed_until = NULL, told_at = NULL
    WHERE id = :id AND status = 'waiting' AND claim = :claim
""")
_LATER = Statement("""
    UPDATE notifier.delivery SET next_at = :next_at, target = :target, error = CAST(:error AS jsonb), claim = NULL,
        claimed_until = NULL, attempts = attempts - CAST(:uncounted AS int)
    WHERE id = :id AND status = 'waiting' AND claim = :claim
""")
_SOON = Statement("""
    UPDATE notifier.delivery SET next_at = now()
    WHERE status = 'waiting' AND channel = 'email' AND claimed_until IS NULL AND next_at > now()
      AND error ->> 'code' = 'mail_server_away'
""")
_OF_NOTICES = Statement("""
    SELECT * FROM notifier.delivery WHERE notice_id = ANY(CAST(:ids AS text[])) ORDER BY channel, id
""")
_AGAIN = Statement("""
    UPDATE notifier.delivery SET status = 'waiting', attempts = 0, first_at = NULL, next_at = now(), error = NULL
    WHERE notice_id = :id AND status IN ('failed', 'not_sent') RETURNING id
""")
_UNTOLD = Statement("""
    SELECT * FROM notifier.delivery WHERE status <> 'waiting' AND told_at IS NULL ORDER BY next_at LIMIT :limit
""")
_MARK = Statement("UPDATE notifier.delivery SET told_at = now() WHERE id = ANY(CAST(:ids AS text[]))")


class DeliveryStore:
    """The deliveries of all users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, claim: str, seconds: float, limit: int) -> Sequence[DeliveryRow]:
        """Take what is due, for so long. The clock is the database's."""
        values = {"claim": claim, "seconds": float(seconds), "limit": limit}
        return [_row(row) for row in await self._database.fetch(_CLAIM, values)]

    async def hand_over(self, delivery: DeliveryRow) -> bool:
        """From now on it may have arrived; False if it is somebody else's by now."""
        return bool(await self._database.fetch(_HAND_OVER, _of(delivery)))

    async def sent(self, delivery: DeliveryRow) -> None:
        """It has arrived. That holds whoever has the claim: a second sender finds it sent when he hands it over."""
        await self._database.fetch(_SENT, {"id": delivery.id})

    async def ended(self, delivery: DeliveryRow, status: str, problem: Problem) -> None:
        """It is `failed` or `not_sent`, for good."""
        await self._database.fetch(_ENDED, {**_of(delivery), "status": status, "error": _json(problem)})

    async def later(
        self, delivery: DeliveryRow, next_at: datetime, problem: Problem | None, *, counted: bool = True
    ) -> None:
        """Try it again then. `counted`: this was an attempt."""
        values = {**_of(delivery), "next_at": next_at, "error": _json(problem), "uncounted": 0 if counted else 1}
        await self._database.fetch(_LATER, values)

    async def soon(self) -> None:
        """The mail server answers: what waits for it need not wait any longer."""
        await self._database.fetch(_SOON, {})

    async def of_notices(self, ids: Sequence[str]) -> Sequence[DeliveryRow]:
        """All of some notices."""
        return [_row(row) for row in await self._database.fetch(_OF_NOTICES, {"ids": list(ids)})]

    async def again(self, notice_id: str) -> None:
        """Begin anew with those of a notice that did not get there."""
        await self._database.fetch(_AGAIN, {"id": notice_id})

    async def untold(self, limit: int) -> Sequence[DeliveryRow]:
        """Those that have ended, and the bus has not been told."""
        return [_row(row) for row in await self._database.fetch(_UNTOLD, {"limit": limit})]

    async def mark(self, ids: Sequence[str]) -> None:
        """The bus has been told of these."""
        await self._database.fetch(_MARK, {"ids": list(ids)})


def _of(delivery: DeliveryRow) -> dict[str, Any]:
    return {"id": delivery.id, "claim": delivery.claim, "target": delivery.target}


def _json(problem: Problem | None) -> str | None:
    return None if problem is None else problem.model_dump_json()


def _row(found: asyncpg.Record) -> DeliveryRow:
    values = dict(found)
    if values["error"] is not None:
        values["error"] = json.loads(values["error"])
    return DeliveryRow(**values)

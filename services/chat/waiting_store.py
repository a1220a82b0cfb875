"""The runs that wait in their conversations."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from kit.db.database import Database
from kit.db.statement import Statement
from services.chat.context import Said
from services.chat.models import MessageRow, RunRow

_STUCK = Statement("""
    SELECT DISTINCT q.conversation_id FROM chat.run q
    WHERE q.status = 'queued'
      AND NOT EXISTS (SELECT FROM chat.run r WHERE r.conversation_id = q.conversation_id AND r.status = 'running')
    LIMIT :limit
""")
_AHEAD = Statement("""
    SELECT count(*) AS runs FROM chat.run
    WHERE conversation_id = :conversation_id AND position < :position AND status IN ('running', 'queued')
""")
_PROMOTE = Statement("""
    WITH begun AS (
        UPDATE chat.run SET status = 'running', request = CAST(:request AS jsonb), omitted_messages = :omitted,
                            promoted_at = now()
        WHERE id = :run_id AND status = 'queued' RETURNING parent_id, conversation_id
    ), question AS (
        UPDATE chat.message m SET status = 'completed', parent_id = :follows
        FROM begun WHERE m.id = begun.parent_id AND m.status = 'queued'
    )
    UPDATE chat.conversation c SET head_id = begun.parent_id, updated_at = now()
    FROM begun WHERE c.id = begun.conversation_id RETURNING c.id
""")


@dataclass(slots=True)
class Waiting:
    """A run that waits, and its question; it has none of its own if it is another answer to an earlier one."""

    run: RunRow
    question: Said | None
    follows: str | None
    """The message that the question goes behind."""


async def stuck(database: Database, limit: int) -> Sequence[str]:
    """Conversations in which runs wait although none is going."""
    return [row["conversation_id"] for row in await database.fetch(_STUCK, {"limit": limit})]


async def ahead(database: Database, conversation_id: str, position: int) -> int:
    """How many runs come before one that waits."""
    rows = await database.fetch(_AHEAD, {"conversation_id": conversation_id, "position": position})
    return int(rows[0]["runs"])


async def following(database: Database, conversation_id: str) -> Waiting | None:
    """The first run that waits in a conversation; None if there is none, or another is going."""

    async def work(session: AsyncSession) -> Waiting | None:
        of = (RunRow.conversation_id == conversation_id, col(RunRow.status).in_(("running", "queued")))
        order = (col(RunRow.status).desc(), col(RunRow.position))
        run = (await session.exec(select(RunRow).where(*of).order_by(*order).limit(1))).first()
        if run is None or run.status != "queued":
            return None
        message = await session.get(MessageRow, run.parent_id)
        if message is None or message.status != "queued":
            return Waiting(run, None, None)
        parts = {name: tuple(getattr(message, name) or ()) for name in ("images", "tool_results")}
        return Waiting(run, Said(message.id, "user", message.content, **parts), message.parent_id)

    return await database.run(work)


async def promote(database: Database, waiting: Waiting, request: dict[str, object], omitted: int) -> RunRow | None:
    """Let it run. Returns the run as it is then; None if it waits no more. Raises asyncpg.UniqueViolationError."""
    values = {
        "run_id": waiting.run.id,
        "request": json.dumps(request),
        "omitted": omitted,
        "follows": waiting.follows,
    }
    if not await database.fetch(_PROMOTE, values):
        return None
    return await database.run(lambda session: session.get(RunRow, waiting.run.id))

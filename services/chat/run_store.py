"""The statements that every run costs when it ends, and those that look at runs: each one round trip.

The update that ends a run takes the row's lock and looks at its status under it.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from contracts.message import Owner
from kit.db.database import Database
from kit.db.statement import Statement
from kit.runlog.lane import RunKey
from services.chat.begin_store import as_json
from services.chat.models import MessageRow, RunState

_SHOWN = 'id, tenant, "user", conversation_id, message_id, parent_id, position, model, begins_conversation, hidden, \
status, follows_head, notify, omitted_messages, error, trace, created_at, announced_at, promoted_at, dispatched_at, \
ended_at, told_at, purged_at'
GOING = frozenset({"running", "queued"})
"""The run has no ending yet."""
_OTHERS = "EXISTS (SELECT FROM chat.run w WHERE w.conversation_id = {of}.conversation_id AND w.status = 'queued')"
_SEEN = f"{_SHOWN}, {_OTHERS.format(of='run')} AS others_wait"
_END = Statement(f"""
    WITH ended AS (
        UPDATE chat.run SET status = :status, error = CAST(:error AS jsonb), ended_at = :now
        WHERE id = :run_id AND tenant = :tenant AND "user" = :user AND status = 'running'
        RETURNING {_SHOWN}
    ), reply AS (
        INSERT INTO chat.message (id, conversation_id, position, parent_id, role, content, tool_calls, reasoning,
                                  status, model, run_id, finish_reason, error, usage, cost_usd, omitted_messages,
                                  created_at)
        SELECT message_id, conversation_id, position, parent_id, 'assistant', :content, CAST(:tool_calls AS jsonb),
               :reasoning, :status, :model, id, :finish_reason, CAST(:error AS jsonb), CAST(:usage AS jsonb), :cost_usd,
               omitted_messages, CAST(:created_at AS timestamptz)
        FROM ended
    ), conversation AS (
        UPDATE chat.conversation c SET updated_at = :now,
            head_id = CASE WHEN c.head_id IS NOT DISTINCT FROM ended.parent_id THEN ended.message_id ELSE c.head_id END
        FROM ended WHERE c.id = ended.conversation_id
    )
    SELECT {_SHOWN}, {_OTHERS.format(of="ended")} AS others_wait FROM ended
    UNION ALL
    SELECT {_SEEN} FROM chat.run
    WHERE id = :run_id AND tenant = :tenant AND "user" = :user AND status NOT IN ('running', 'queued')
""")
_END_WAITING = Statement(f"""
    WITH ended AS (
        UPDATE chat.run SET status = :status, error = CAST(:error AS jsonb), ended_at = :now
        WHERE id = :run_id AND tenant = :tenant AND "user" = :user AND status = 'queued'
        RETURNING {_SHOWN}
    ), question AS (
        UPDATE chat.message m SET status = 'cancelled',
            parent_id = CASE WHEN ended.follows_head THEN c.head_id ELSE m.parent_id END
        FROM ended JOIN chat.conversation c ON c.id = ended.conversation_id
        WHERE m.id = ended.parent_id AND m.status = 'queued'
    ), reply AS (
        INSERT INTO chat.message (id, conversation_id, position, parent_id, role, content, status, model, run_id, error,
                                  usage, cost_usd, created_at)
        SELECT message_id, conversation_id, position, parent_id, 'assistant', :content, :status, :model, id,
               CAST(:error AS jsonb), CAST(:usage AS jsonb), :cost_usd, CAST(:created_at AS timestamptz)
        FROM ended
    )
    SELECT {_SHOWN}, {_OTHERS.format(of="ended")} AS others_wait FROM ended
""")
"""A message that has waited in vain gets its place where it would have gone; what is shown stays what it was."""
_STATE = Statement(f'SELECT {_SEEN} FROM chat.run WHERE id = :run_id AND tenant = :tenant AND "user" = :user')
_RUNNING = Statement("SELECT id, tenant, \"user\", trace FROM chat.run WHERE status = 'running'")
_UNTOLD = Statement("""
    SELECT id, tenant, "user" FROM chat.run WHERE ended_at IS NOT NULL AND told_at IS NULL
    ORDER BY ended_at LIMIT :limit
""")


async def end(database: Database, owner: Owner, run_id: str, reply: MessageRow, now: datetime) -> RunState | None:
    """End a run and store its reply, once. Returns the run as it has ended; None if there is no such run."""
    values = {
        "run_id": run_id,
        "tenant": owner.tenant,
        "user": owner.user,
        "now": now,
        **reply.model_dump(include=_REPLY_FIELDS),
        **{name: as_json(getattr(reply, name)) for name in ("error", "usage", "tool_calls")},
    }
    # Of two at the same moment the second waits for the row, and finds it neither running nor, as it was before, ended.
    # One that waits may begin to run between two looks.
    found = None
    for statement in (_END, _END_WAITING, _END):
        if rows := await database.fetch(statement, values):
            return _state(rows[0])
        found = await state(database, owner, run_id)
        if found is None or found.status not in GOING:
            break
    return found


async def state(database: Database, owner: Owner, run_id: str) -> RunState | None:
    """How a run is; None if there is no such run."""
    rows = await database.fetch(_STATE, {"run_id": run_id, "tenant": owner.tenant, "user": owner.user})
    return _state(rows[0]) if rows else None


async def running(database: Database) -> Sequence[tuple[RunKey, dict[str, str] | None]]:
    """Every run that goes on, of all owners, with its trace."""
    return [(_key(row), _parsed(row["trace"])) for row in await database.fetch(_RUNNING, {})]


async def untold(database: Database, limit: int) -> Sequence[RunKey]:
    """Runs that have ended, and it is not known that their log says so; the oldest first."""
    return [_key(row) for row in await database.fetch(_UNTOLD, {"limit": limit})]


def _key(row: asyncpg.Record) -> RunKey:
    return RunKey(row["tenant"], row["user"], row["id"])


def _state(row: asyncpg.Record) -> RunState:
    found = dict(row)
    return RunState(**{**found, **{name: _parsed(found[name]) for name in ("error", "trace")}})


_REPLY_FIELDS = {"content", "reasoning", "status", "model", "finish_reason", "cost_usd", "created_at"}


def _parsed(value: str | None) -> dict[str, Any] | None:
    return None if value is None else json.loads(value)

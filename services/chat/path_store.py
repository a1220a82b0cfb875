"""What was said before a message: the path through a conversation's tree, in one round trip."""

import json
from typing import Any, Literal

import asyncpg

from contracts.message import Owner
from kit.db.database import Database
from kit.db.statement import Statement
from services.chat.context import Past, Said

Target = Literal["head", "beside", "after", "answer"]
"""Where a path ends: what is shown now; before a message, so that another one goes beside it; a message; or the
question of an answer.
"""

_STARTS: dict[Target, str] = {
    "head": "conversation.head_id",
    "beside": "target.parent_id",
    "after": "target.id",
    "answer": "CASE target.role WHEN 'assistant' THEN target.parent_id ELSE target.id END",
}
_ONE = """
    SELECT id, parent_id, position, role, content, images, tool_calls, tool_results
    FROM chat.message WHERE message.id = {id} LIMIT 1
"""
"""The limit keeps the planner from reading the whole table at each step. It plans once per connection, maybe when the
table is small yet: measured with 4,000 messages, 15 ms instead of 0.3. The same holds for `_FOUND`.
"""
_FOUND = """
    SELECT id, parent_id, role, status, conversation_id FROM chat.message WHERE {which} LIMIT 1
"""
_TARGET = """
    , target AS (
        SELECT m.id, m.parent_id, m.role FROM conversation c CROSS JOIN LATERAL (
            ({by_id}) UNION ALL ({by_client_id})
        ) m WHERE m.conversation_id = c.id AND m.status <> 'queued' LIMIT 1
    )
"""


def _found(named: str) -> str:
    by_id = _FOUND.format(which=f"id = {named}")
    by_client_id = _FOUND.format(which="conversation_id = c.id AND client_id = :target")
    return _TARGET.format(by_id=by_id, by_client_id=by_client_id)


def _path(target: Target) -> Statement:
    found = "" if target == "head" else _found("coalesce(:target, c.head_id)" if target == "answer" else ":target")
    source = "conversation" if target == "head" else "target"
    known = "true" if target == "head" else "EXISTS (SELECT FROM target)"
    return Statement(f"""
        WITH RECURSIVE conversation AS (
            SELECT c.id, c.system, c.head_id,
                   greatest((SELECT max(position) FROM chat.message WHERE conversation_id = c.id),
                            (SELECT max(position) FROM chat.run WHERE conversation_id = c.id), 0) AS last_position,
                   (SELECT count(*) FROM chat.run WHERE conversation_id = c.id AND status = 'queued') AS waiting
            FROM chat.conversation c
            WHERE c.id = :conversation_id AND c.tenant = :tenant AND c."user" = :user AND NOT c.hidden
        ){found}, path AS (
            SELECT m.* FROM {source} CROSS JOIN LATERAL ({_ONE.format(id=_STARTS[target])}) m
            UNION ALL
            SELECT m.* FROM path CROSS JOIN LATERAL ({_ONE.format(id="path.parent_id")}) m
        )
        SELECT c.system, c.head_id, c.last_position, c.waiting, {known} AS known,
               p.id, p.role, p.content, p.images, p.tool_calls, p.tool_results
        FROM conversation c LEFT JOIN path p ON true ORDER BY p.position
    """)  # noqa: S608  (put together from constants)


_PATHS: dict[Target, Statement] = {target: _path(target) for target in _STARTS}


async def past(
    database: Database, owner: Owner, conversation_id: str, target: Target = "head", of: str | None = None
) -> Past | None:
    """What the owner's conversation says up to there; None if there is no such conversation.

    `of`: the message that a target other than `head` is about, by our id or the client's. `known` tells whether it is
    there.
    """
    values = {"conversation_id": conversation_id, "tenant": owner.tenant, "user": owner.user, "target": of}
    rows = await database.fetch(_PATHS[target], values)
    if not rows:
        return None
    first = rows[0]
    return Past(
        system=first["system"],
        said=tuple(_said(row) for row in rows if row["id"] is not None),
        last_position=first["last_position"],
        waiting=first["waiting"],
        head_id=first["head_id"],
        known=first["known"],
    )


def _said(row: asyncpg.Record) -> Said:
    parts = {name: _parsed(row[name]) for name in ("images", "tool_calls", "tool_results")}
    return Said(id=row["id"], role=row["role"], content=row["content"], **parts)


def _parsed(value: str | None) -> tuple[dict[str, Any], ...]:
    return () if value is None else tuple(json.loads(value))

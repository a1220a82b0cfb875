"""The statements that begin a run: each one round trip and one transaction of its own.

They say in one statement what a session would in five: at some hundred runs a second the round trips are most of what
chat does. Unique indexes do the locking: one running run in a conversation, one message at a position, one run that
claims a position, one message of a client's id, one run for an idempotency key. And a message goes behind what is shown
only if that is still what the model is told: the answer before it may end while it is being sent.

A run claims two positions behind all that there are: its question's and its answer's. It claims both also when it has
no question of its own, so that of two that begin at the same moment only one can have them.
"""

import functools
import json
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import asyncpg

from kit.db.database import Database
from kit.db.statement import Statement

Kind = Literal["new", "next", "branch", "wait", "again", "wait_again", "completion"]
"""`new`: with its conversation. `next`: a message behind what is shown. `branch`: one somewhere else. `again`: another
answer to a message. `wait…`: not yet.
"""
MOVED = "moved"
"""The rule that what is shown of a conversation is still what its next message follows."""


class Attachment(NamedTuple):
    """An image to keep."""

    id: str
    media_type: str
    data: bytes


class ConflictError(Exception):
    """Somebody else was faster. `constraint` names the rule that both cannot have."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


_NEW = """
    INSERT INTO chat.conversation (id, tenant, "user", title, system, hidden, head_id, created_at, updated_at)
    VALUES (:conversation_id, :tenant, :user, :title, :system, :hidden, :parent_id, :now, :now) RETURNING id
"""
_NEXT = """
    UPDATE chat.conversation SET updated_at = :now, head_id = :parent_id,
                                 title = CASE title WHEN '' THEN :title ELSE title END
    WHERE id = :conversation_id AND head_id IS NOT DISTINCT FROM :head RETURNING id
"""
_BRANCH = _NEXT.replace(" AND head_id IS NOT DISTINCT FROM :head", "")
_TOUCHED = """
    UPDATE chat.conversation SET updated_at = :now, title = CASE title WHEN '' THEN :title ELSE title END
    WHERE id = :conversation_id RETURNING id
"""
_CONVERSATION: dict[Kind, str] = {
    "new": _NEW,
    "next": _NEXT,
    "branch": _BRANCH,
    "wait": _TOUCHED,
    "again": _BRANCH,
    "wait_again": _TOUCHED,
    "completion": _NEW,
}
_HAS_MESSAGE: frozenset[Kind] = frozenset({"new", "next", "branch", "wait"})
_MESSAGE = """
    INSERT INTO chat.message (id, conversation_id, position, parent_id, client_id, role, content, images, tool_results,
                              status, created_at)
    SELECT :parent_id, id, :position - 1, :follows, :client_id, 'user', :content,
           CAST(:images AS jsonb), CAST(:tool_results AS jsonb), :message_status, :now
    FROM conversation
"""
_ATTACHMENT = """
    INSERT INTO chat.attachment (conversation_id, id, media_type, data)
    SELECT CAST(:conversation_id AS text), a.id, a.media_type, a.data
    FROM unnest(CAST(:attachment_ids AS text[]), CAST(:media_types AS text[]), CAST(:datas AS bytea[]))
         AS a (id, media_type, data)
    ON CONFLICT DO NOTHING
"""
_COPIED = """
    INSERT INTO chat.attachment (conversation_id, id, media_type, data)
    SELECT CAST(:conversation_id AS text), a.id, a.media_type, a.data
    FROM chat.attachment a WHERE a.conversation_id = :copied_from AND a.id <> ALL (CAST(:attachment_ids AS text[]))
"""
_RUN = """
    INSERT INTO chat.run (id, tenant, "user", conversation_id, message_id, parent_id, position, model,
                          begins_conversation, hidden, status, request, completion, idempotency_key, fingerprint,
                          follows_head, notify, omitted_messages, trace, created_at)
    SELECT :run_id, :tenant, :user, conversation.id, :reply_id, :parent_id, :position, :model,
           :begins, :hidden, :status, CAST(:request AS jsonb), CAST(:completion AS jsonb), :idempotency_key,
           :fingerprint, :follows_head, :notify, :omitted, CAST(:trace AS jsonb), :now
    FROM conversation RETURNING id
"""

_RELEASE = Statement("UPDATE chat.message SET client_id = NULL WHERE id = :id AND conversation_id = :conversation_id")


@functools.cache
def _statement(kind: Kind, *, attachments: bool, copies: bool) -> Statement:
    parts = [f"conversation AS ({_CONVERSATION[kind]})"]
    if kind in _HAS_MESSAGE:
        parts.append(f"message AS ({_MESSAGE})")
    if attachments:
        parts.append(f"attachment AS ({_ATTACHMENT})")
    if copies:
        parts.append(f"copied AS ({_COPIED})")
    return Statement(f"WITH {', '.join(parts)} {_RUN}")


async def begin(
    database: Database,
    kind: Kind,
    values: dict[str, Any],
    attachments: Sequence[Attachment] = (),
    *,
    copied_from: str | None = None,
    release: str | None = None,
) -> None:
    """Store a run with what it needs: its question, its conversation, their images. Raises ConflictError.

    `copied_from`: another conversation whose images the run shows to the model as well. `release`: a message whose
    client's id the question takes over.
    """
    statement = _statement(kind, attachments=bool(attachments), copies=copied_from is not None)
    kept = {
        "attachment_ids": [each.id for each in attachments],
        "media_types": [each.media_type for each in attachments],
        "datas": [each.data for each in attachments],
        "copied_from": copied_from,
    }
    try:
        if release is None:
            rows = await database.fetch(statement, {**values, **kept})
        else:
            gives = (_RELEASE, {"id": release, "conversation_id": values["conversation_id"]})
            rows = await database.fetch_in_turn(gives, (statement, {**values, **kept}))
    except asyncpg.IntegrityConstraintViolationError as error:
        raise ConflictError(error.constraint_name or "") from error
    if not rows:
        raise ConflictError(MOVED)


def as_json(value: Any) -> str | None:
    """A value for a column of JSON; None stays none."""
    return json.dumps(value) if value else None

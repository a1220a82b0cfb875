"""Storing a conversation that was said elsewhere: one statement, so all of it or nothing."""

import json
from collections.abc import Sequence
from datetime import datetime

from contracts.content import Turn
from contracts.message import Owner
from kit.db.database import Database
from kit.db.statement import Statement
from kit.ids import new_id
from services.chat import images
from services.chat.begin_store import Attachment

_IMPORT = Statement("""
    WITH conversation AS (
        INSERT INTO chat.conversation (id, tenant, "user", title, system, head_id, created_at, updated_at)
        VALUES (:conversation_id, :tenant, :user, :title, :system, :head_id, :now, :now)
        ON CONFLICT (id) DO NOTHING RETURNING id
    ), message AS (
        INSERT INTO chat.message (id, conversation_id, position, parent_id, role, content, images, status, model,
                                  created_at)
        SELECT t.id, conversation.id, t.position, t.parent_id, t.role, t.content, CAST(t.images AS jsonb), 'completed',
               CASE t.id WHEN :head_id THEN CAST(:model AS text) END, :now
        FROM conversation, unnest(CAST(:ids AS text[]), CAST(:parents AS text[]), CAST(:roles AS text[]),
                                  CAST(:contents AS text[]), CAST(:images AS text[])) WITH ORDINALITY
             AS t (id, parent_id, role, content, images, position)
    ), attachment AS (
        INSERT INTO chat.attachment (conversation_id, id, media_type, data)
        SELECT conversation.id, a.id, a.media_type, a.data
        FROM conversation, unnest(CAST(:attachment_ids AS text[]), CAST(:media_types AS text[]),
                                  CAST(:datas AS bytea[])) AS a (id, media_type, data)
    )
    SELECT id FROM conversation
""")


async def store(
    database: Database,
    owner: Owner,
    conversation_id: str,
    *,
    title: str,
    system: str | None,
    turns: Sequence[Turn],
    model: str | None,
    attachments: Sequence[Attachment],
    now: datetime,
) -> bool:
    """Whether it was stored; not if there is a conversation of this id. `turns` are messages, the last an answer."""
    ids = [new_id("msg") for _ in turns]
    values = {
        "conversation_id": conversation_id,
        "tenant": owner.tenant,
        "user": owner.user,
        "title": title,
        "system": system,
        "head_id": ids[-1],
        "model": model,
        "now": now,
        "ids": ids,
        "parents": [None, *ids[:-1]],
        "roles": [turn.role for turn in turns],
        "contents": [turn.content for turn in turns],
        "images": [json.dumps(images.stored(turn.images)) if turn.images else None for turn in turns],
        "attachment_ids": [each.id for each in attachments],
        "media_types": [each.media_type for each in attachments],
        "datas": [each.data for each in attachments],
    }
    return bool(await database.fetch(_IMPORT, values))

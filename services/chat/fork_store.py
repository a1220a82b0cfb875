"""Copying a branch into a conversation of its own, in the transaction of who asks."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.chat.models import ConversationRow, MessageRow
from services.chat.store import path_to

_MESSAGES = """
    INSERT INTO chat.message (id, conversation_id, position, parent_id, client_id, role, content, images, tool_calls,
                              tool_results, reasoning, status, model, finish_reason, error, usage, cost_usd,
                              omitted_messages, created_at)
    SELECT n.id, :conversation_id, n.position, n.parent_id, m.client_id, m.role, m.content, m.images, m.tool_calls,
           m.tool_results, m.reasoning, m.status, m.model, m.finish_reason, m.error, m.usage, m.cost_usd,
           m.omitted_messages, m.created_at
    FROM unnest(CAST(:olds AS text[]), CAST(:ids AS text[]), CAST(:parents AS text[])) WITH ORDINALITY
         AS n (old, id, parent_id, position)
    JOIN chat.message m ON m.id = n.old
"""
_ATTACHMENTS = """
    INSERT INTO chat.attachment (conversation_id, id, media_type, data)
    SELECT CAST(:conversation_id AS text), a.id, a.media_type, a.data FROM chat.attachment a
    WHERE a.conversation_id = :old AND a.id IN (
        SELECT image->>'attachment' FROM chat.message m, jsonb_array_elements(m.images) image
        WHERE m.conversation_id = :conversation_id
    )
"""


async def path(session: AsyncSession, row: ConversationRow, message_id: str | None) -> Sequence[str]:
    """The ids of a branch up to a message, oldest first; none if there is no such message. Without one: what is shown.

    A message that waits is in no branch.
    """
    until = path_to(message_id or row.head_id)
    query = select(MessageRow.id).where(
        col(MessageRow.conversation_id) == row.id,
        col(MessageRow.id).in_(select(until.c.id)),
        col(MessageRow.status) != "queued",
    )
    return (await session.exec(query.order_by(col(MessageRow.position)))).all()


async def copy(
    session: AsyncSession, row: ConversationRow, new_id: str, messages: Sequence[tuple[str, str]], now: datetime
) -> ConversationRow:
    """A conversation with copies of messages, given by their old and their new ids. What they cost stays with them.

    The run that made a message stays with the one that it made.
    """
    news = [new for _, new in messages]
    fork = ConversationRow(
        id=new_id,
        tenant=row.tenant,
        user=row.user,
        title=row.title,
        system=row.system,
        head_id=news[-1] if news else None,
        forked_from=row.id,
        created_at=now,
        updated_at=now,
    )
    session.add(fork)
    await session.flush()
    connection = await session.connection()
    olds = [old for old, _ in messages]
    values = {"conversation_id": new_id, "olds": olds, "ids": news, "parents": [None, *news[:-1]] if news else []}
    await connection.execute(text(_MESSAGES), values)
    await connection.execute(text(_ATTACHMENTS), {"conversation_id": new_id, "old": row.id})
    return fork

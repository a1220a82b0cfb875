"""What chat does with each message about the messages of a conversation: list and rate them, show their images."""

import base64
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.chat import Attachment, ChatMessage, GetAttachment, ListMessages, MessagePage, RateMessage
from contracts.chat_facts import MessageRatedFact
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.clock import now_ms
from kit.db.database import Database
from kit.orchestrate import wording
from kit.refusal import Refused
from services.chat import attachment_store, checks, store
from services.chat.models import MessageRow

PAGE_CHARACTERS = 200_000
"""Text in one page of messages, so that the answer fits into a bus message."""
UNKNOWN_ATTACHMENT = "There is no such attachment in this conversation."


def shown_message(row: MessageRow) -> ChatMessage:
    """A message as its owner sees it; what is empty is stored as nothing."""
    return ChatMessage.model_validate({name: value for name, value in row.model_dump().items() if value is not None})


class MessageHandlers:
    """List and rate messages, and hand out their images."""

    def __init__(self, bus: Bus, database: Database) -> None:
        self._bus, self._database = bus, database

    async def on_list_messages(self, query: ListMessages) -> MessagePage:
        """A page of messages."""
        after = checks.position_after(query.after)

        async def work(session: AsyncSession) -> MessagePage:
            row = await store.owned(session, query.owner, query.conversation_id)
            rows, more = await store.message_page(
                session, row, query.limit, after, PAGE_CHARACTERS, all_branches=query.all_branches
            )
            items = tuple(map(shown_message, rows))
            return MessagePage(items=items, next=str(rows[-1].position) if more else None)

        return await self._database.run(work)

    async def on_rate_message(self, command: RateMessage) -> ChatMessage:
        """Rate an answer, and tell of it. Rating it the same again changes nothing and tells the same."""
        rating: dict[str, Any] | None = None if command.rating is None else command.rating.model_dump()
        if command.rating is not None and command.rating.comment is not None:
            wording.storable(command.rating.comment)
        now = now_ms()

        async def work(session: AsyncSession) -> MessageRow:
            await store.owned(session, command.owner, command.conversation_id)
            row = await store.message(session, command.conversation_id, command.message_id, lock=True)
            if row is None:
                raise Refused("unknown_message", store.UNKNOWN_MESSAGE)
            if row.role != "assistant":
                raise Refused("not_an_answer", "Only answers can be rated.")
            if row.rating != rating:
                row.rating, row.rated_at = rating, now
                session.add(row)
            return row

        row = await self._database.run(work)
        if row.rated_at is not None:
            await publish(
                self._bus,
                MessageRatedFact(
                    owner=command.owner,
                    conversation_id=command.conversation_id,
                    message=row.id,
                    run_id=row.run_id,
                    model=row.model,
                    rating=command.rating.value if command.rating else None,
                    rated_at=row.rated_at,
                ),
            )
        return shown_message(row)

    async def on_get_attachment(self, query: GetAttachment) -> Attachment:
        """An image of a conversation."""
        found = await attachment_store.one(self._database, query.owner, query.conversation_id, query.attachment)
        if found is None:
            raise Refused("unknown_attachment", UNKNOWN_ATTACHMENT)
        return Attachment(media_type=found.media_type, data=base64.b64encode(found.data).decode())

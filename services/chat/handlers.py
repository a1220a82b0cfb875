"""What chat does with each message about conversations."""

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.chat import (
    Conversation,
    ConversationPage,
    CreateConversation,
    DeleteConversation,
    Deleted,
    GetConversation,
    ListConversations,
    ListMessages,
    MessagePage,
    UpdateConversation,
)
from contracts.chat_facts import ConversationCreatedFact, ConversationDeletedFact
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.clock import utc_now
from kit.db.database import Database
from kit.refusal import Refused
from services.chat import checks, core, store
from services.chat.models import ConversationRow
from services.chat.run_handlers import shown_message

PAGE_CHARACTERS = 200_000
"""Text in one page of messages, so that the answer fits into a bus message."""


class ConversationHandlers:
    """Create, read, change and delete conversations."""

    def __init__(self, bus: Bus, database: Database) -> None:
        self._bus, self._database = bus, database

    async def on_create_conversation(self, command: CreateConversation) -> Conversation:
        """Begin an empty conversation."""
        title, system = checks.check_title(command.title), checks.check_system(command.system)
        row = core.conversation_row(command, title, system, utc_now())

        async def work(session: AsyncSession) -> None:
            session.add(row)

        await self._database.run(work)
        await publish(self._bus, ConversationCreatedFact(owner=command.owner, conversation_id=row.id))
        return _shown(row)

    async def on_get_conversation(self, query: GetConversation) -> Conversation:
        """One conversation."""
        return _shown(
            await self._database.run(lambda session: store.owned(session, query.owner, query.conversation_id))
        )

    async def on_list_conversations(self, query: ListConversations) -> ConversationPage:
        """A page of conversations."""
        rows = await self._database.run(
            lambda session: store.conversations(session, query.owner, query.limit, query.before)
        )
        following = rows[-1].id if len(rows) == query.limit else None
        return ConversationPage(items=tuple(_shown(row) for row in rows), next=following)

    async def on_update_conversation(self, command: UpdateConversation) -> Conversation:
        """Change what is given."""
        title = None if command.title is None else checks.check_title(command.title)
        system = checks.check_system(command.system)

        async def work(session: AsyncSession) -> ConversationRow:
            row = await store.owned(session, command.owner, command.conversation_id, lock=True)
            row.title = row.title if title is None else title
            row.system = row.system if system is None else system or None
            row.updated_at = utc_now()
            session.add(row)
            return row

        return _shown(await self._database.run(work))

    async def on_delete_conversation(self, command: DeleteConversation) -> Deleted:
        """Delete a conversation, its messages and runs. The purge of their logs is ordered in the same transaction."""

        async def work(session: AsyncSession) -> None:
            row = await store.owned(session, command.owner, command.conversation_id, lock=True)
            if await store.going(session, command.owner, row.id):
                raise Refused("run_in_progress", "An answer is still running in this conversation. Cancel it first.")
            await store.delete_conversation(session, row.id)

        await self._database.run(work)
        await publish(self._bus, ConversationDeletedFact(owner=command.owner, conversation_id=command.conversation_id))
        return Deleted()

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


def _shown(row: ConversationRow) -> Conversation:
    return Conversation.model_validate(row.model_dump())

"""What chat does with each message about conversations."""

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.chat import (
    Conversation,
    ConversationPage,
    CreateConversation,
    DeleteConversation,
    Deleted,
    ForkConversation,
    GetConversation,
    ListConversations,
    UpdateConversation,
)
from contracts.chat_facts import ConversationCreatedFact, ConversationDeletedFact
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.clock import utc_now
from kit.db.database import Database
from kit.ids import new_id
from kit.orchestrate import wording
from kit.refusal import Refused
from services.chat import checks, core, fork_store, store
from services.chat.models import ConversationRow


class ConversationHandlers:
    """Create, read, change and delete conversations."""

    def __init__(self, bus: Bus, database: Database) -> None:
        self._bus, self._database = bus, database

    async def on_create_conversation(self, command: CreateConversation) -> Conversation:
        """Begin an empty conversation."""
        title, system = wording.check_title(command.title), checks.check_system(command.system)
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
        words = checks.search_words(query.search)
        rows = await self._database.run(lambda session: store.conversations(session, query, words))
        following = rows[-1].id if len(rows) == query.limit else None
        return ConversationPage(items=tuple(_shown(row) for row in rows), next=following)

    async def on_update_conversation(self, command: UpdateConversation) -> Conversation:
        """Change what is given."""
        title = None if command.title is None else wording.check_title(command.title)
        system = checks.check_system(command.system)

        async def work(session: AsyncSession) -> ConversationRow:
            row = await store.owned(session, command.owner, command.conversation_id, lock=True)
            row.title = row.title if title is None else title
            row.system = row.system if system is None else system or None
            row.pinned = row.pinned if command.pinned is None else command.pinned
            row.archived = row.archived if command.archived is None else command.archived
            if command.head_id is not None:
                if await store.message(session, row.id, command.head_id) is None:
                    raise Refused("unknown_message", store.UNKNOWN_MESSAGE)
                row.head_id = command.head_id
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

    async def on_fork_conversation(self, command: ForkConversation) -> Conversation:
        """Copy a branch into a new conversation."""

        async def work(session: AsyncSession) -> tuple[ConversationRow, bool]:
            row = await store.owned(session, command.owner, command.conversation_id)
            known = await store.conversation(session, command.owner, command.new_conversation_id)
            if known is not None and known.forked_from == row.id:
                return known, False
            olds = await fork_store.path(session, row, command.message_id)
            if not olds and command.message_id is not None:
                raise Refused("unknown_message", store.UNKNOWN_MESSAGE)
            messages = [(old, new_id("msg")) for old in olds]
            return await fork_store.copy(session, row, command.new_conversation_id, messages, utc_now()), True

        row, new = await self._database.run(work)
        if new:
            await publish(self._bus, ConversationCreatedFact(owner=command.owner, conversation_id=row.id))
        return _shown(row)


def _shown(row: ConversationRow) -> Conversation:
    return Conversation.model_validate(row.model_dump())

"""What chat does with a conversation that was said elsewhere, for instance with one model of a comparison."""

from collections.abc import Sequence
from datetime import timedelta

from contracts.chat import Conversation, ImportConversation
from contracts.chat_facts import ConversationCreatedFact
from contracts.content import Turn
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.clock import utc_now
from kit.db.database import Database
from kit.orchestrate import wording
from kit.refusal import Refused
from kit.settings import ChatSettings
from services.chat import brought, checks, import_store, store

TOLD_AGAIN = timedelta(seconds=60)
"""A conversation of this age may have been stored by somebody who died before telling of it. The bus forgets only after
two minutes what it was told, so nobody hears of it twice."""


class ImportHandlers:
    """Import conversations."""

    def __init__(self, bus: Bus, database: Database, limits: ChatSettings) -> None:
        self._bus, self._database, self._limits = bus, database, limits

    async def on_import_conversation(self, command: ImportConversation) -> Conversation:
        """Store the turns as messages of a new conversation, or find the one that there is."""
        system, turns = _parted(command.turns)
        kept, attachments = brought.keep(turns, self._limits)
        now = utc_now()
        new = await import_store.store(
            self._database,
            command.owner,
            command.conversation_id,
            title=wording.check_title(command.title) or wording.title_from(kept[0].content),
            system=checks.check_system(system),
            turns=kept,
            model=command.model and wording.storable(command.model),
            attachments=attachments,
            now=now,
        )
        row = await self._database.run(
            lambda session: store.conversation(session, command.owner, command.conversation_id)
        )
        if row is None:
            raise Refused("invalid_request", "The id of this conversation is taken.")
        if new or row.created_at > now - TOLD_AGAIN:
            await publish(self._bus, ConversationCreatedFact(owner=command.owner, conversation_id=row.id))
        return Conversation.model_validate(row.model_dump())


def _parted(turns: Sequence[Turn]) -> tuple[str | None, list[Turn]]:
    """The system prompt, and the messages. Raises Refused."""
    first = next((number for number, turn in enumerate(turns) if turn.role != "system"), len(turns))
    system = "\n\n".join(turn.content for turn in turns[:first] if turn.content) or None
    said = list(turns[first:])
    if not said or said[0].role != "user" or said[-1].role != "assistant":
        raise Refused("invalid_turns", "A conversation begins with a message of the user and ends with an answer.")
    for turn in said:
        if turn.role == "tool" or turn.tool_calls or turn.results:
            raise Refused("tools_not_supported", "A conversation with calls of tools cannot be imported.")
        if turn.role == "system":
            raise Refused("invalid_turns", "The system prompt comes first.")
        if turn.role == "assistant" and turn.images:
            raise Refused("invalid_turns", "Only messages of the user have images.")
        if not turn.content.strip() and not turn.images:
            raise Refused("empty_message", "A message is empty.")
    return system, said

"""What architect does with each message about assistants: make, show, list, change, copy and delete them."""

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.architect_assistants import (
    CopyAssistant,
    CreateAssistant,
    DeleteAssistant,
    GetAssistant,
    ListAssistants,
    ListVersions,
    UpdateAssistant,
)
from contracts.architect_values import Assistant, AssistantPage, AssistantVersion, AssistantVersions
from contracts.assistant import Definition
from contracts.chat_values import Deleted
from contracts.message import Owner
from kit.clock import utc_now
from kit.db.database import Database
from kit.orchestrate import wording
from kit.refusal import Refused
from kit.settings import ArchitectSettings
from services.architect import assistant_saving as saving
from services.architect import assistant_store as store
from services.architect.assistant_models import AssistantRow
from services.architect.assistant_telling import AssistantTelling
from services.architect.definition import resolved

MAX_SEARCH_WORDS = 20


class AssistantHandlers:
    """Assistants and their versions."""

    def __init__(self, database: Database, telling: AssistantTelling, limits: ArchitectSettings) -> None:
        self._database, self._telling, self._limits = database, telling, limits

    async def on_create_assistant(self, command: CreateAssistant) -> Assistant:
        """Make an assistant, or find the one that there is."""
        known = await self._known(command.owner, command.assistant_id)
        if known is not None:
            return known
        definition = saving.storable(resolved(command.definition, self._limits))
        texts = command.model_dump(include={"name", "description", "status"})
        row = saving.assistant_row(command.owner, command.assistant_id, utc_now(), **texts)
        return await self._begun(command.owner, row, definition)

    async def on_copy_assistant(self, command: CopyAssistant) -> Assistant:
        """Make a draft of one's own of an assistant, or find the one that there is."""
        known = await self._known(command.owner, command.assistant_id)
        if known is not None:
            return known
        source, version = await self._database.run(
            lambda session: store.load_definition(session, command.owner, command.source_id, command.version)
        )
        row = saving.assistant_row(
            command.owner,
            command.assistant_id,
            utc_now(),
            name=command.name or source.name,
            description=source.description,
            status="draft",
            copied_from=source.id,
        )
        return await self._begun(command.owner, row, saving.definition_of(version))

    async def on_update_assistant(self, command: UpdateAssistant) -> Assistant:
        """Change what is given; another definition is a new version."""
        given = command.definition
        definition = None if given is None else saving.storable(resolved(given, self._limits))

        async def work(session: AsyncSession) -> Assistant:
            row = await store.changeable(session, command.owner, command.assistant_id)
            version = await store.version_of(session, command.owner, row, None)
            new = saving.changed(row, version, command, definition, utc_now())
            if new is not None:
                session.add(new)
            return saving.shown(row, command.owner, new or version)

        shown = await self._database.run(work)
        await self._telling.tell(shown.id)
        return shown

    async def on_get_assistant(self, query: GetAssistant) -> Assistant:
        """One assistant with its definition."""
        row, version = await self._database.run(
            lambda session: store.load_definition(session, query.owner, query.assistant_id, query.version)
        )
        return saving.shown(row, query.owner, version)

    async def on_list_assistants(self, query: ListAssistants) -> AssistantPage:
        """A page of assistants, without definitions."""
        words = wording.storable(query.search).split()
        if len(words) > MAX_SEARCH_WORDS:
            raise Refused(
                "too_many_words", f"There are {len(words)} words to look for; the limit is {MAX_SEARCH_WORDS}."
            )
        rows = await self._database.run(lambda session: store.page(session, query, words))
        following = store.mark_after(rows[-1]) if len(rows) == query.limit else None
        return AssistantPage(items=tuple(saving.shown(row, query.owner) for row in rows), next=following)

    async def on_list_versions(self, query: ListVersions) -> AssistantVersions:
        """The history of one's own assistant."""

        async def work(session: AsyncSession) -> AssistantVersions:
            row = await store.visible(session, query.owner, query.assistant_id)
            if not store.is_mine(row, query.owner):
                raise Refused("not_yours", store.NOT_YOURS)
            told = {"version", "steps", "note", "created_at"}
            versions = await store.history(session, row.id)
            return AssistantVersions(items=tuple(AssistantVersion(**v.model_dump(include=told)) for v in versions))

        return await self._database.run(work)

    async def on_delete_assistant(self, command: DeleteAssistant) -> Deleted:
        """Delete an assistant with its history."""

        async def work(session: AsyncSession) -> None:
            row = await store.changeable(session, command.owner, command.assistant_id)
            await store.remove(session, row, utc_now())

        await self._database.run(work)
        await self._telling.tell(command.assistant_id)
        return Deleted()

    async def _known(self, owner: Owner, assistant_id: str) -> Assistant | None:
        async def work(session: AsyncSession) -> Assistant | None:
            row = await store.own(session, owner, assistant_id)
            return row and saving.shown(row, owner, await store.version_of(session, owner, row, None))

        known = await self._database.run(work)
        if known is not None:
            await self._telling.tell(known.id)
        return known

    async def _begun(self, owner: Owner, row: AssistantRow, definition: Definition) -> Assistant:
        """Store a new assistant and tell of it; whoever asked for the same at this moment gets the same."""
        version = saving.version_row(row, definition, row.created_at)

        async def work(session: AsyncSession) -> None:
            session.add(row)
            await session.flush()
            session.add(version)

        try:
            await self._database.run(work)
        except IntegrityError as error:
            known = await self._known(owner, row.id)
            if known is None:
                raise Refused("invalid_request", "The id of this assistant is taken.") from error
            return known
        await self._telling.tell(row.id)
        return saving.shown(row, owner, version)

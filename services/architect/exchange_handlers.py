"""What architect does with each message about assistants as files: take them in, give them out, show the library."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.architect_assistants import ExportAssistant, ImportAssistants, ListExamples
from contracts.architect_values import ExampleAssistants, ExportedAssistant, ImportedAssistant, ImportedAssistants
from contracts.message import Owner
from kit.clock import utc_now
from kit.db.database import Database
from kit.orchestrate.offers import Offers
from kit.orchestrate.wording import check_stored
from kit.refusal import Refused
from kit.settings import ArchitectSettings
from services.architect import assistant_saving as saving
from services.architect import assistant_store as store
from services.architect import export, legacy_import, library
from services.architect.assistant_models import AssistantRow, VersionRow
from services.architect.assistant_telling import AssistantTelling
from services.architect.brought import Brought, Models, not_importable
from services.architect.definition import resolved

ID_CHARACTERS = 32
"""Of a hash: nobody meets an id of somebody else's by chance."""

Pair = tuple[AssistantRow, VersionRow]


class ExchangeHandlers:
    """Import, export and the library."""

    def __init__(
        self, database: Database, telling: AssistantTelling, offers: Offers, limits: ArchitectSettings
    ) -> None:
        self._database, self._telling, self._offers, self._limits = database, telling, offers, limits

    async def on_import_assistants(self, command: ImportAssistants) -> ImportedAssistants:
        """Make a draft of every assistant of a file, or of none. The same file again finds those that there are."""
        self._check_size(command.document)
        models = Models(command.models, await self._offered())
        brought = await asyncio.to_thread(self._read, command.document, models)  # a long file may take a second
        pairs = self._rows(command, brought)
        try:
            stored = await self._store(command.owner, pairs)
        except IntegrityError:  # the same file at the same moment
            stored = await self._store(command.owner, self._rows(command, brought))
        await self._telling.tell(*(row.id for row, _ in stored))
        shown = [saving.shown(row, command.owner, version) for row, version in stored]
        items = zip(shown, brought, strict=True)
        return ImportedAssistants(
            items=tuple(ImportedAssistant(assistant=each, warnings=file.warnings) for each, file in items)
        )

    async def on_export_assistant(self, query: ExportAssistant) -> ExportedAssistant:
        """An assistant that one may see, as a file."""
        row, version = await self._database.run(
            lambda session: store.load_definition(session, query.owner, query.assistant_id, query.version)
        )
        return ExportedAssistant(document=export.document_of(row.name, row.description, saving.definition_of(version)))

    async def on_list_examples(self, query: ListExamples) -> ExampleAssistants:
        """The library."""
        return ExampleAssistants(items=library.examples(self._limits))

    def _read(self, document: dict[str, Any], models: Models) -> list[Brought]:
        read = export.read if export.is_ours(document) else legacy_import.read
        return [self._checked(each) for each in read(document, models)]

    def _check_size(self, document: dict[str, Any]) -> None:
        text = json.dumps(document)
        if len(text) > self._limits.max_import_bytes:
            limit = self._limits.max_import_bytes
            raise not_importable("", f"The file has {len(text)} bytes; the limit is {limit}.")
        check_stored(text)
        assistants = document.get("assistants")
        if isinstance(assistants, list) and len(assistants) > self._limits.max_imported:
            limit = self._limits.max_imported
            raise not_importable("assistants", f"There are {len(assistants)}; the limit is {limit}.")

    async def _offered(self) -> Sequence[str]:
        try:
            return await self._offers.ids()
        except Refused:
            return ()  # it may be that the request names a model for every name of the file

    def _checked(self, brought: Brought) -> Brought:
        try:
            return brought._replace(definition=resolved(brought.definition, self._limits))
        except Refused as refusal:
            raise not_importable(f"{brought.place} ({brought.name})", refusal.problem.message) from refusal

    def _rows(self, command: ImportAssistants, brought: Sequence[Brought]) -> list[Pair]:
        found, now = [], utc_now()
        for number, each in enumerate(brought):
            assistant_id = _id_of(command.owner, command.ids_from, number)
            row = saving.assistant_row(
                command.owner, assistant_id, now, name=each.name, description=each.description, status="draft"
            )
            found.append((row, saving.version_row(row, each.definition, now)))
        return found

    async def _store(self, owner: Owner, pairs: Sequence[Pair]) -> list[Pair]:
        async def work(session: AsyncSession) -> list[Pair]:
            stored = []
            for row, version in pairs:
                known = await store.own(session, owner, row.id)
                if known is not None:
                    stored.append((known, await store.version_of(session, owner, known, None)))
                    continue
                session.add(row)
                await session.flush()
                session.add(version)
                stored.append((row, version))
            return stored

        return await self._database.run(work)


def _id_of(owner: Owner, ids_from: str, number: int) -> str:
    """The id of an assistant of a file: the same for the same owner and file."""
    told = f"{owner.tenant}.{owner.user}.{ids_from}.{number}"
    return f"asst_{hashlib.sha256(told.encode()).hexdigest()[:ID_CHARACTERS]}"

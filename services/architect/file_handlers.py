"""What architect does with each message about files: keep their text, show and delete it."""

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.architect_assistants import DeleteFile, GetFile, GiveFile
from contracts.architect_values import GivenFile
from contracts.chat_values import Deleted
from kit.clock import utc_now
from kit.db.database import Database
from kit.orchestrate import wording
from kit.settings import ArchitectSettings
from services.architect import file_store, file_text
from services.architect.assistant_models import FileRow


class FileHandlers:
    """Files that are given to runs."""

    def __init__(self, database: Database, limits: ArchitectSettings) -> None:
        self._database, self._limits = database, limits
        self._readers = file_text.FileReaders(limits)

    async def on_give_file(self, command: GiveFile) -> GivenFile:
        """Find the text of a file and keep it, or find the file that there is."""
        known = await self._database.run(lambda session: file_store.file(session, command.owner, command.file_id))
        return _shown(known or await self._kept(command))

    async def _kept(self, command: GiveFile) -> FileRow:
        name, data = wording.storable(command.name), file_text.decoded(command.data, self._limits)
        media_type = wording.storable(file_text.media_type_of(name, command.media_type))
        text = await self._readers.text(name, file_text.ending_of(name, command.media_type), data)
        row = FileRow(
            **command.owner.model_dump(),
            id=command.file_id,
            name=name,
            media_type=media_type,
            bytes=len(data),
            characters=len(text),
            text=text,
            created_at=utc_now(),
        )

        async def work(session: AsyncSession) -> None:
            session.add(row)

        try:
            await self._database.run(work)
        except IntegrityError:  # the same was asked at the same moment
            return await self._database.run(lambda session: file_store.owned(session, command.owner, command.file_id))
        return row

    async def on_get_file(self, query: GetFile) -> GivenFile:
        """One file with its text."""
        return _shown(await self._database.run(lambda session: file_store.owned(session, query.owner, query.file_id)))

    async def on_delete_file(self, command: DeleteFile) -> Deleted:
        """Delete a file; runs keep its text."""
        await self._database.run(lambda session: file_store.remove(session, command.owner, command.file_id))
        return Deleted()


def _shown(row: FileRow) -> GivenFile:
    return GivenFile(**row.model_dump(include=set(GivenFile.model_fields)))

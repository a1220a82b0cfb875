"""Everything about assistants and files as one part of the service."""

from contracts import architect_assistants as asked
from kit.bus.connection import Bus
from kit.db.database import Database
from kit.orchestrate.handling import Served
from kit.orchestrate.offers import Offers
from kit.settings import ArchitectSettings
from services.architect.assistant_handlers import AssistantHandlers
from services.architect.assistant_telling import AssistantTelling
from services.architect.exchange_handlers import ExchangeHandlers
from services.architect.file_handlers import FileHandlers


class Assistants:
    """The handlers, and the sweep that tells of what is stored. `short` and `long` are for the service to serve."""

    def __init__(self, database: Database, bus: Bus, offers: Offers, limits: ArchitectSettings) -> None:
        self.telling = AssistantTelling(database, bus, limits.sweep_seconds)
        handlers = AssistantHandlers(database, self.telling, limits)
        exchange = ExchangeHandlers(database, self.telling, offers, limits)
        files = FileHandlers(database, limits)
        self.short: Served = [
            (asked.DeleteAssistant, handlers.on_delete_assistant),
            (asked.DeleteFile, files.on_delete_file),
        ]
        self.long: Served = [
            (asked.CreateAssistant, handlers.on_create_assistant),
            (asked.UpdateAssistant, handlers.on_update_assistant),
            (asked.GetAssistant, handlers.on_get_assistant),
            (asked.ListAssistants, handlers.on_list_assistants),
            (asked.ListVersions, handlers.on_list_versions),
            (asked.CopyAssistant, handlers.on_copy_assistant),
            (asked.ImportAssistants, exchange.on_import_assistants),
            (asked.ExportAssistant, exchange.on_export_assistant),
            (asked.ListExamples, exchange.on_list_examples),
            (asked.GiveFile, files.on_give_file),
            (asked.GetFile, files.on_get_file),
        ]

    async def start(self) -> None:
        """Begin to sweep."""
        await self.telling.start()

    async def stop(self) -> None:
        """Stop sweeping."""
        await self.telling.stop()

"""What a run would ask and cost, without asking any model."""

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.architect import DryRun, TryAssistant
from contracts.assistant import Definition
from kit.db.database import Database
from kit.orchestrate.offers import Offers
from kit.refusal import Refused
from kit.settings import ArchitectSettings
from services.architect.assistant_store import load_definition
from services.architect.definition import resolved
from services.architect.dry_run import dry_run
from services.architect.file_store import files_of
from services.architect.inputs import checked, file_ids


class TryHandlers:
    """Renders prompts and estimates."""

    def __init__(self, database: Database, offers: Offers, limits: ArchitectSettings) -> None:
        self._database, self._offers, self._limits = database, offers, limits

    async def on_try_assistant(self, query: TryAssistant) -> DryRun:
        """Every prompt as it would be, of an assistant or of a definition that is not saved."""

        async def work(session: AsyncSession) -> tuple[Definition, dict[str, Any]]:
            definition = await self._definition(session, query)
            files = await files_of(session, query.owner, file_ids(definition.fields, query.inputs))
            return definition, checked(definition.fields, query.inputs, files, self._limits)

        definition, values = await self._database.run(work)
        models = {model for step in definition.steps for model in (step.model, *step.fallbacks)}
        offered = await self._offers.ids(*models)
        cards = {model: self._offers.card(model) for model in models if model in offered}
        return dry_run(definition, values, cards, self._limits)

    async def _definition(self, session: AsyncSession, query: TryAssistant) -> Definition:
        if query.definition is not None:
            return resolved(query.definition, self._limits)
        if query.assistant_id is None:
            raise Refused("invalid_request", "A dry run is of an assistant, or of a definition.")
        _, version = await load_definition(session, query.owner, query.assistant_id, query.version)
        return Definition.model_validate(version.definition)

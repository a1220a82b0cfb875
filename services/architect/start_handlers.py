"""What architect does with the requests that start a run: of an assistant, or of a run that has ended."""

from collections.abc import Mapping
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.architect import ForkAssistantRun, StartAssistantRun
from contracts.architect_values import AssistantRunStarted
from contracts.assistant import Definition, InputField, Inputs, Step
from contracts.ids import orchestrator_of
from contracts.message import Owner
from kit.clock import utc_now
from kit.db.database import Database
from kit.refusal import Refused
from kit.settings import ArchitectSettings
from services.architect import run_store
from services.architect.assistant_store import load_definition
from services.architect.definition import resolved
from services.architect.endings import SERVICE
from services.architect.file_store import files_of
from services.architect.forks import changed, taken_anew
from services.architect.inputs import checked, file_ids
from services.architect.models import Planned, StepRow
from services.architect.plan import Starting, kept_step, new_run, new_step
from services.architect.starter import Starter


class StartHandlers:
    """Start runs."""

    def __init__(self, database: Database, starter: Starter, limits: ArchitectSettings) -> None:
        self._database, self._starter, self._limits = database, starter, limits

    async def on_start_assistant_run(self, command: StartAssistantRun) -> AssistantRunStarted:
        """Store the run with all its steps, then begin it."""
        _check_id(command)
        try:
            planned = await self._database.run(lambda session: self._planned(session, command))
        except Refused:  # what it has started before stays started, whatever has become of its assistant
            if (started := await self._starter.earlier(command)) is not None:
                return started
            raise
        return await self._starter.start(planned, command)

    async def _planned(self, session: AsyncSession, command: StartAssistantRun) -> Planned:
        assistant, version = await load_definition(session, command.owner, command.assistant_id, command.version)
        definition = Definition.model_validate(version.definition)
        inputs = await self._inputs(session, command.owner, definition.fields, command.inputs)
        run = new_run(
            command,
            definition,
            inputs,
            utc_now(),
            assistant_id=assistant.id,
            assistant_version=version.version,
            name=assistant.name,
        )
        return Planned(run, [new_step(run.id, place, step) for place, step in enumerate(definition.steps, start=1)])

    async def _inputs(
        self, session: AsyncSession, owner: Owner, fields: tuple[InputField, ...], given: Inputs
    ) -> dict[str, Any]:
        files = await files_of(session, owner, file_ids(fields, given))
        return checked(fields, given, files, self._limits)

    async def on_fork_assistant_run(self, command: ForkAssistantRun) -> AssistantRunStarted:
        """Store a run that shows again what an earlier one has brought to an end, and begins the rest."""
        _check_id(command)
        if (started := await self._starter.earlier(command)) is not None:
            return started
        return await self._starter.start(await self._database.run(lambda s: self._forked(s, command)), command)

    async def _forked(self, session: AsyncSession, command: ForkAssistantRun) -> Planned:
        parent = await run_store.planned(session, command.owner, command.parent_run_id, texts=True, inputs=True)
        if parent.run.status == "running":
            raise Refused("run_in_progress", "This run is still going. A run that has ended can be gone on from.")
        anew = taken_anew(parent, command.step)
        fields = tuple(InputField.model_validate(field) for field in parent.run.fields)
        steps = tuple(Step.model_validate(step.definition) for step in parent.steps)
        whole = Definition(fields=fields, steps=steps, timeout_seconds=parent.run.timeout_seconds)
        definition = resolved(changed(whole, command.changes, anew), self._limits)
        inputs = await self._changed_inputs(session, command, fields, parent.run.inputs)
        run = new_run(
            command,
            definition,
            inputs,
            utc_now(),
            assistant_id=parent.run.assistant_id,
            assistant_version=parent.run.assistant_version,
            name=parent.run.name,
        )
        olds = {step.step: step for step in parent.steps}
        return Planned(
            run,
            [
                _step(run.id, place, step, None if step.name in anew else olds[step.name])
                for place, step in enumerate(definition.steps, start=1)
            ],
        )

    async def _changed_inputs(
        self,
        session: AsyncSession,
        command: ForkAssistantRun,
        fields: tuple[InputField, ...],
        before: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Those of the earlier run, but for the fields that are given."""
        if not command.inputs:
            return dict(before)
        known = tuple(field for field in fields if field.name in command.inputs)
        return {**before, **await self._inputs(session, command.owner, known, command.inputs)}


def _step(run_id: str, place: int, step: Step, old: StepRow | None) -> StepRow:
    return new_step(run_id, place, step) if old is None else kept_step(run_id, place, step, old)


def _check_id(command: Starting) -> None:
    """A run of another kind would never be told of its endings."""
    if orchestrator_of(command.run_id) != SERVICE:
        raise Refused("invalid_request", "This is no id of an assistant's run.")

"""What both requests that start a run have in common: storing it, once, and the way onto the bus."""

import hashlib
import logging

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.architect_values import AssistantRunStarted
from kit.db.database import Database
from kit.orchestrate.wording import check_stored
from kit.refusal import Refused
from kit.telemetry.context import trace_headers
from services.architect import course as transitions
from services.architect import run_store
from services.architect.core import created_event
from services.architect.course import Course
from services.architect.models import Planned, RunRow, StepRow
from services.architect.onward import Onward
from services.architect.plan import Starting, in_order
from services.architect.transitions import settle

log = logging.getLogger(__name__)

_OF_EACH_TRY = {"run_id", "idempotency_key"}


class Starter:
    """Stores runs, and begins what is committed."""

    def __init__(self, database: Database, onward: Onward, parallel: int) -> None:
        self._database, self._onward, self._parallel = database, onward, parallel

    async def start(self, planned: Planned, command: Starting) -> AssistantRunStarted:
        """Store a run and begin it; if that fails, the sweep does. An earlier one is begun again."""
        run = planned.run
        run.fingerprint = fingerprint(command) if command.idempotency_key is not None else None
        run.trace = trace_headers() or None
        check_stored(command.model_dump_json())
        try:
            stored = await self._database.run(lambda session: self._store(session, planned))
        except IntegrityError as conflict:
            found = await self.earlier(command)
            if found is None:
                raise Refused("invalid_request", "The id of this run is taken.") from conflict
            return found
        return await self._begun(stored, command)

    async def _store(self, session: AsyncSession, planned: Planned) -> Planned:
        """New rows for each try: a transaction that is lost leaves its rows as it made them."""
        run = RunRow(**planned.run.model_dump())
        steps = [StepRow(**step.model_dump()) for step in planned.steps]
        session.add(run)
        await session.flush()
        session.add_all(steps)
        course = Course(Planned(run, steps), run.created_at, self._parallel)
        course.told.append(created_event(course))
        course.changed = True
        for step in in_order(steps):
            if step.over:
                transitions.show_again(course, step)
        settle(session, course)
        await session.flush()
        return course.planned

    async def earlier(self, command: Starting) -> AssistantRunStarted | None:
        """The run of an earlier request like this; None if there is none. Refused if that asked for something else."""

        async def work(session: AsyncSession) -> Planned | None:
            run = await run_store.earlier(session, command.owner, command.run_id, command.idempotency_key)
            return None if run is None else Planned(run, await run_store.steps(session, run.id))

        found = await self._database.run(work)
        if found is None:
            return None
        if found.run.id != command.run_id and found.run.fingerprint != fingerprint(command):
            raise Refused("idempotency_conflict", "This Idempotency-Key was used for another request.")
        return await self._begun(found, command)

    async def _begun(self, planned: Planned, command: Starting) -> AssistantRunStarted:
        try:
            await self._onward.follow(planned)
        except Exception as error:
            log.warning("run %s could not be begun yet: %r", planned.run.id, error)
        return AssistantRunStarted(run_id=planned.run.id, replayed=planned.run.id != command.run_id)


def fingerprint(command: Starting) -> str:
    """Of everything that a request asks for."""
    return hashlib.sha256(command.model_dump_json(exclude=_OF_EACH_TRY).encode()).hexdigest()

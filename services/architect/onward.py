"""What follows on the bus from how a run is now. Everything here may be done twice, and by two replicas at once.

A transition commits, then `follow` says what it brought about: the log first, in order, then the orders. If the process
dies in between, whoever handles the message again does it, and the sweep does in any case, until it is noted as done.
"""

import asyncio
import logging
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.architect_work import StartStep, TimeIsUp
from contracts.generation import GenerateRequest
from contracts.message import Owner
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.bus.timers import drop_timer, set_timer
from kit.clock import utc_now
from kit.db.database import Database
from kit.orchestrate.cancel import Canceller
from kit.orchestrate.carried import carried
from kit.telemetry.spans import in_trace_of
from services.architect import run_store
from services.architect.models import Planned, RunRow, StepRow
from services.architect.own_endings import OwnEndings
from services.architect.plan import generation_of, owner_of
from services.architect.telling import Telling

log = logging.getLogger(__name__)

_TIMERS = {"retrying": "retry", "running": "deadline", "approval": "approval"}
"""What ends a state by itself, if it has a `due_at`."""


class Onward:
    """Says what changed runs bring about."""

    def __init__(
        self, bus: Bus, database: Database, blobs: Blobs, telling: Telling, own: OwnEndings, canceller: Canceller
    ) -> None:
        self._bus, self._database, self._blobs, self._telling = bus, database, blobs, telling
        self._own, self._canceller = own, canceller

    async def follow(self, planned: Planned) -> None:
        """Say all that is owed, and note it. Raises what the bus raises; the sweep tries again then."""
        run = planned.run
        if run.owed_since is None or run.purged_at is not None:
            return
        with in_trace_of(run.trace, "go on"):
            if run.dispatched_at is None:
                await self._telling.tell(run, until=1)
                await self._own.write(planned)
            await self._telling.tell(run)
            if run.status == "running":
                await asyncio.gather(*(self._order(planned, step) for step in planned.steps))
            await self._timers(planned)
        await self._database.fetch(run_store.SETTLED, {"id": run.id, "changes": run.changes, "told_n": run.last_n})

    async def _order(self, planned: Planned, step: StepRow) -> None:
        """Whatever the state of one step asks for."""
        run = planned.run
        if step.status == "running" and (run.stopping is not None or step.stopped is not None):
            request = await self._request(step)
            if request is not None:
                await self._canceller.cancel(generation_of(planned, step, request))
        elif step.sent_at is None and step.status == "ready":
            await publish(self._bus, StartStep(owner=owner_of(run), run_id=run.id, step=step.step, turn=step.turn))
        elif step.sent_at is None and step.status == "running":
            request = await self._request(step)
            if request is not None:
                await publish(self._bus, await carried(self._blobs, GenerateRequest.model_validate(request)))

    async def _request(self, step: StepRow) -> dict[str, Any] | None:
        """The order of a step's attempt; None if another one has begun meanwhile."""
        found = await self._database.run(lambda session: run_store.request(session, step.run_id, step.step))
        return found if found is not None and found["lane"] == step.lane else None

    async def _timers(self, planned: Planned) -> None:
        """Set what is due, and take back what will not be: it would wait for as long as somebody's patience."""
        run = planned.run
        for step in planned.steps:
            due = self._due(run, step.step, step.turn, _TIMERS.get(step.status, "retry"))
            if step.due_at is not None and step.due_at != step.timer_at:
                await set_timer(self._bus, due, due.timer(), step.due_at)
            elif step.due_at is None and step.timer_at is not None and step.timer_at > utc_now():
                await drop_timer(self._bus, due.timer())
        due = self._due(run, "", 0, "run")
        if run.due_at is not None and run.dispatched_at is None:
            await set_timer(self._bus, due, due.timer(), run.due_at)
        elif run.timeout_seconds is not None and run.due_at is None:
            await drop_timer(self._bus, due.timer())

    @staticmethod
    def _due(run: RunRow, step: str, turn: int, what: str) -> TimeIsUp:
        told = {"owner": owner_of(run), "run_id": run.id, "what": what, "step": step, "turn": turn}
        return TimeIsUp.model_validate(told)

    async def sweep(self, before: datetime, limit: int) -> None:
        """Say what is owed for longer than that."""
        for tenant, user, run_id in await self._database.run(lambda session: run_store.owed(session, before, limit)):
            log.warning("run %s did not go on by itself; saying again what follows", run_id)
            try:
                await self.again(Owner(tenant=tenant, user=user), run_id)
            except Exception as error:
                log.warning("run %s cannot go on now: %r", run_id, error)

    async def again(self, owner: Owner, run_id: str) -> None:
        """Say what is owed by a run as it is now."""

        async def load(session: AsyncSession) -> Planned | None:
            run = await run_store.run(session, owner, run_id)
            return None if run is None else Planned(run, await run_store.steps(session, run_id))

        planned = await self._database.run(load)
        if planned is not None:
            await self.follow(planned)

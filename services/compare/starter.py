"""What both requests that start a run have in common: which models can be asked, and the way onto the bus."""

import hashlib
import logging
from collections.abc import Sequence

from contracts.compare import ComparisonStarted, LaneWish, StartComparison
from contracts.content import Turn
from contracts.generation import Parameters
from contracts.ids import is_blind
from kit.db.database import Database
from kit.orchestrate import window
from kit.orchestrate.offers import Offers
from kit.refusal import Refused
from kit.settings import CompareSettings
from kit.telemetry.context import trace_headers
from services.compare import begin_store, checks, core, store
from services.compare.dispatch import Dispatcher
from services.compare.models import Compared
from services.compare.plan import Starting, Wanted

log = logging.getLogger(__name__)

_OF_EACH_TRY = {"run_id", "idempotency_key"}
_SAYS_NOTHING = {"notify"}
"""Left out where it is none: a request has the print that it had before there was such a thing."""


class Starter:
    """Chooses models, stores runs, and puts what is committed on the bus."""

    def __init__(self, database: Database, dispatcher: Dispatcher, offers: Offers, limits: CompareSettings) -> None:
        self._database, self._dispatcher, self._offers, self.limits = database, dispatcher, offers, limits

    async def wanted(
        self, wishes: Sequence[LaneWish], turns: Sequence[Turn], common: Parameters, *, named: bool = True
    ) -> list[Wanted]:
        """The lanes to generate. Refused if a model or its parameters are not possible.

        Unless they are `named`, the refusal must not say which model it is.
        """
        for wish in wishes:
            checks.check_parameters(wish.parameters or common, self.limits.max_parameters_characters)
        checks.check_offered(wishes, await self._offers.ids(*(wish.model for wish in wishes)), named=named)
        return [self._wanted(wish.model, wish.parameters or common, turns) for wish in wishes]

    def _wanted(self, model: str, parameters: Parameters, turns: Sequence[Turn]) -> Wanted:
        card = window.window_of(self._offers.card(model))
        return Wanted(model, parameters, window.misfit(turns, card, parameters))

    async def start(self, compared: Compared, command: Starting) -> ComparisonStarted:
        """Store a run and put it on the bus; if that fails, the sweep goes on. An earlier one is started again."""
        run, lanes, _ = compared
        run.fingerprint = fingerprint(command) if command.idempotency_key is not None else None
        run.trace = trace_headers() or None
        core.end_at_once(compared)
        try:
            await begin_store.begin(self._database, run, lanes)
        except begin_store.ConflictError as conflict:
            found = await self.earlier(command)
            if found is None:
                raise Refused("invalid_request", "The id of this run is taken.") from conflict
            return found
        return await self._dispatched(compared, command)

    async def earlier(self, command: Starting) -> ComparisonStarted | None:
        """The run of an earlier request like this; None if there is none. Refused if that asked for something else."""
        compared = await self._database.run(lambda session: store.earlier(session, command))
        if compared is None:
            return None
        if compared.run.id != command.run_id and compared.run.fingerprint != fingerprint(command):
            raise Refused("idempotency_conflict", "This Idempotency-Key was used for another request.")
        return await self._dispatched(compared, command)

    async def _dispatched(self, compared: Compared, command: Starting) -> ComparisonStarted:
        run = compared.run
        if run.dispatched_at is None:
            try:
                await self._dispatcher.dispatch(compared)
            except Exception as error:
                log.warning("run %s could not be dispatched yet: %r", run.id, error)
        return ComparisonStarted(run_id=run.id, replayed=run.id != command.run_id)


def fingerprint(command: Starting) -> str:
    """Of everything that a request asks for; whether a comparison is to be blind is said by its id alone.

    That an extension is blind follows from the votes there are, and so it may be another one when it is asked again.
    """
    body = command.model_dump_json(exclude=_OF_EACH_TRY | (_SAYS_NOTHING if command.notify is None else set()))
    if isinstance(command, StartComparison):
        body += f" blind: {is_blind(command.run_id)}"
    return hashlib.sha256(body.encode()).hexdigest()

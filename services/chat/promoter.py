"""Runs that wait until those before them have ended: they begin by themselves, and know then what was said before.

Whoever ends a run looks whether others wait; whoever lets one wait looks whether there is still something to wait for;
and a sweep looks for both, should their process have died. The index that lets only one run go on in a conversation
decides between all of them.
"""

import logging

import asyncpg

from contracts import events
from contracts.message import Owner
from kit.clock import utc_now
from kit.db.database import Database
from kit.orchestrate.moments import milliseconds
from kit.orchestrate.offers import Offers
from kit.orchestrate.periodic import Periodic
from kit.orchestrate.stand_in import StandIn
from kit.orchestrate.window import window_of
from kit.refusal import Refused
from kit.telemetry.spans import in_trace_of
from services.chat import context, path_store, waiting_store, window
from services.chat.context import Past
from services.chat.dispatch import Dispatcher
from services.chat.generation import generation_of
from services.chat.models import RunRow
from services.chat.waiting_store import Waiting

log = logging.getLogger(__name__)

SWEEP_BATCH = 100


class Promoter:
    """Lets the next run of a conversation begin."""

    def __init__(
        self, database: Database, dispatcher: Dispatcher, stand_in: StandIn, offers: Offers, sweep_seconds: float
    ) -> None:
        self._database, self._dispatcher, self._stand_in, self._offers = database, dispatcher, stand_in, offers
        self._sweeping = Periodic("sweep-waiting", sweep_seconds, self._sweep)

    async def start(self) -> None:
        """Begin to sweep."""
        await self._sweeping.start()

    async def stop(self) -> None:
        """Sweep no more."""
        await self._sweeping.stop()

    async def promote(self, conversation_id: str) -> None:
        """Let the next run of a conversation begin if none is going. What fails now is done by the sweep."""
        try:
            await self._promote(conversation_id)
        except Exception as error:
            log.warning("the next run of %s could not begin yet: %r", conversation_id, error)

    async def _sweep(self) -> None:
        for conversation_id in await waiting_store.stuck(self._database, SWEEP_BATCH):
            log.warning("a run of %s waits for nothing; it begins now", conversation_id)
            await self.promote(conversation_id)

    async def _promote(self, conversation_id: str) -> None:
        waiting = await waiting_store.following(self._database, conversation_id)
        if waiting is None:
            return
        run = waiting.run
        with in_trace_of(run.trace, "begin run that waited"):
            try:
                request, omitted = await self._request(waiting)
            except Refused as refused:
                await self._stand_in.end(
                    generation_of(run), events.Error(refused.problem.code, refused.problem.message)
                )
                return
            try:
                begun = await waiting_store.promote(self._database, waiting, request, omitted)
            except asyncpg.UniqueViolationError:  # another one goes on
                return
            if begun is not None:
                await self._dispatcher.dispatch(begun)

    async def _request(self, waiting: Waiting) -> tuple[dict[str, object], int]:
        """The order to inference with what is said by now, and how much of it was left out. Raises Refused."""
        run, order = waiting.run, waiting.run.order()
        fits = window_of(self._offers.card(run.model))
        past = await self._past(run, waiting)
        waiting.follows = past.end.id if past.end else None
        turns, omitted = window.fit(
            context.turns(past, waiting.question, sees=fits.sees), fits.question_tokens(order.parameters)
        )
        update = {"messages": turns, "requested_at": milliseconds(utc_now())}
        return order.model_copy(update=update).model_dump(mode="json", exclude_none=True), omitted

    async def _past(self, run: RunRow, waiting: Waiting) -> Past:
        owner = Owner(tenant=run.tenant, user=run.user)
        if run.follows_head:
            past = await path_store.past(self._database, owner, run.conversation_id)
        else:
            of = run.parent_id if waiting.question is None else waiting.follows
            past = await path_store.past(self._database, owner, run.conversation_id, "after", of or "")
        if past is None:
            raise Refused("unknown_conversation", "The conversation is gone.")
        return past

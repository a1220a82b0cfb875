"""Stopping a run: the worker ends its generation, or, if none answers, we end it in its place."""

import asyncio

from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from contracts import events, subjects
from contracts.generation import GenerateRequest, GenerationEnded
from contracts.ids import MAIN_LANE
from contracts.message import Owner
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.clock import now_ms
from kit.runlog.lane import RunKey
from kit.runlog.once import end_lane
from kit.runlog.reads import LogReads
from kit.telemetry.spans import in_trace_of
from services.chat import core
from services.chat.models import RunRow

WORKER_ANSWERS_SECONDS = 1.0
"""A worker answers after it has closed the provider's stream and written the ending."""
WORKER_TRIES = 2


class Canceller:
    """Ends the unfinished lanes of a run. The lane's fence decides who does it."""

    def __init__(self, bus: Bus, reads: LogReads, blobs: Blobs) -> None:
        self._bus, self._reads, self._blobs = bus, reads, blobs

    async def cancel(self, run: RunRow) -> None:
        """Have the run's generation ended; its fact ends the run. Raises TimeoutError if the log is away."""
        subject = subjects.CANCEL.format(tenant=run.tenant, user=run.user, run=run.id, lane=MAIN_LANE)
        for _ in range(WORKER_TRIES):
            try:
                await self._bus.client.request(subject, b"", timeout=WORKER_ANSWERS_SECONDS)
                return
            except NatsTimeoutError:
                continue
            except NoRespondersError:
                break
        with in_trace_of(run.trace, "end instead of the worker"):
            await self._end_instead(run)

    async def _end_instead(self, run: RunRow) -> None:
        key = RunKey(run.tenant, run.user, run.id)
        whole = core.text_so_far(await self._reads.lane(key.lane(MAIN_LANE)))
        request = GenerateRequest.model_validate(run.request)
        text, text_ref = await self._blobs.inline_or_kept(f"{run.id}.{MAIN_LANE}.cancelled", whole)
        ending = events.GenerationCancelled(
            lane=MAIN_LANE, at=now_ms(), attempt=0, model=request.model, text=text, text_ref=text_ref
        )
        written = await end_lane(self._bus, key, ending)
        if written.ours:
            fact = GenerationEnded(
                outcome="cancelled",
                owner=Owner(tenant=run.tenant, user=run.user),
                run_id=run.id,
                lane=MAIN_LANE,
                sequence=written.sequence,
                model=request.model,
            )
            await asyncio.shield(publish(self._bus, fact))

"""Stopping a run: the worker ends its generation, or, if none answers, we end it in its place."""

import asyncio
from collections.abc import Sequence

from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from contracts import events, subjects
from contracts.generation import GenerationEnded
from contracts.ids import MAIN_LANE
from contracts.message import Owner
from kit.bus.api import EXPECTED_LAST, WRONG_LAST_SEQUENCE, JetStreamError, publish_stored
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.clock import now_ms
from kit.runlog.lane import RunKey
from kit.runlog.once import MAX_TRIES, begin_lane
from kit.runlog.reads import LogReads
from kit.telemetry.spans import in_trace_of
from services.chat import core
from services.chat.models import RunRow

Told = Sequence[tuple[int, events.Event | None]]
"""A lane's events with their sequences."""

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
        """Write the ending that the worker owes, with every word that somebody may have seen.

        The fence is where the text was read from: if a late worker adds to it, it is read again.
        """
        key = RunKey(run.tenant, run.user, run.id)
        await begin_lane(self._bus, key, core.created_event(run))  # the run may be stored and not on the bus yet
        ending: events.GenerationCancelled | None = None
        for _ in range(MAX_TRIES):
            told = await self._reads.lane(key.lane(MAIN_LANE))
            last, newest = told[-1] if told else (0, None)
            if isinstance(newest, events.GenerationEnding):
                if newest == ending:  # stored, although its acknowledgement was lost
                    return await self._tell(run, ending, last)
                return None  # who wrote it tells it
            ending = await self._ending(run, told)
            try:
                sequence = await publish_stored(
                    self._bus.client,
                    key.lane(MAIN_LANE),
                    events.encode(ending),
                    headers={EXPECTED_LAST: str(last)},
                )
            except JetStreamError as error:
                if error.code != WRONG_LAST_SEQUENCE:
                    raise
            else:
                return await asyncio.shield(self._tell(run, ending, sequence))
        raise TimeoutError(f"the lane {key.lane(MAIN_LANE)} has too many writers")

    async def _ending(self, run: RunRow, told: Told) -> events.GenerationCancelled:
        name = f"{run.id}.{MAIN_LANE}.cancelled"
        text, text_ref = await self._blobs.inline_or_kept(f"{name}.text", core.text_so_far(told))
        reasoning, reasoning_ref = await self._blobs.inline_or_kept(
            f"{name}.reasoning", core.text_so_far(told, events.GenerationReasoning)
        )
        return events.GenerationCancelled(
            lane=MAIN_LANE,
            at=now_ms(),
            attempt=0,
            model=run.model,
            text=text,
            text_ref=text_ref,
            reasoning=reasoning or None,
            reasoning_ref=reasoning_ref,
        )

    async def _tell(self, run: RunRow, ending: events.GenerationCancelled, sequence: int) -> None:
        fact = GenerationEnded(
            outcome="cancelled",
            owner=Owner(tenant=run.tenant, user=run.user),
            run_id=run.id,
            lane=MAIN_LANE,
            sequence=sequence,
            model=ending.model,
        )
        await publish(self._bus, fact)

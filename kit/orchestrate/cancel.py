"""Stopping generations: the worker ends its own, or, if none answers, we end it in its place."""

import asyncio
from collections.abc import Iterable

from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from contracts import subjects
from kit.bus.connection import Bus
from kit.orchestrate.generation import Generation
from kit.orchestrate.stand_in import StandIn
from kit.runlog.once import MAX_TRIES
from kit.telemetry.spans import in_trace_of

WORKER_ANSWERS_SECONDS = 1.0
"""A worker answers after it has closed the provider's stream and written the ending."""
WORKER_TRIES = 2


class Canceller:
    """Ends lanes that are not finished."""

    def __init__(self, bus: Bus, stand_in: StandIn) -> None:
        self._bus, self._stand_in = bus, stand_in

    async def cancel(self, generation: Generation) -> None:
        """Have a generation ended; the fact about it tells its run. Raises TimeoutError if the log is away."""
        for _ in range(MAX_TRIES):
            if await self._worker_stops(generation):
                return
            with in_trace_of(generation.trace, "end instead of the worker"):
                if await self._stand_in.end(generation, None):
                    return
        raise TimeoutError(f"lane {generation.lane} of {generation.key.run} goes on and nobody answers for it")

    async def cancel_all(self, generations: Iterable[Generation]) -> None:
        """Have several ended at the same time. One that cannot be ended keeps no other going; its error comes last."""
        results = await asyncio.gather(*map(self.cancel, generations), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _worker_stops(self, generation: Generation) -> bool:
        key = generation.key
        subject = subjects.CANCEL.format(tenant=key.tenant, user=key.user, run=key.run, lane=generation.lane)
        for _ in range(WORKER_TRIES):
            try:
                await self._bus.client.request(subject, b"", timeout=WORKER_ANSWERS_SECONDS)
                return True
            except NatsTimeoutError:
                continue
            except NoRespondersError:
                break
        return False

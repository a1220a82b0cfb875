"""Ending a generation in its worker's place: after a stop that nobody heard, or when nobody is left to go on."""

import asyncio
from typing import Any

import msgspec

from contracts import events
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.clock import now_ms
from kit.orchestrate import heard
from kit.orchestrate.generation import Generation
from kit.orchestrate.heard import Heard
from kit.orchestrate.offers import Offers
from kit.runlog.once import Told, begin_lane, end_instead
from kit.runlog.outcome import ended_fact
from kit.runlog.reads import LogReads
from kit.runlog.snapshots import MAX_EVENT_BYTES


class _AliveError(Exception):
    """Somebody has written to the lane since it was read."""


class StandIn:
    """Writes the endings that workers owe. The lane's fence decides who ends it."""

    def __init__(self, bus: Bus, reads: LogReads, blobs: Blobs, offers: Offers) -> None:
        self._bus, self._reads, self._blobs, self._offers = bus, reads, blobs, offers

    async def end(self, generation: Generation, error: events.Error | None) -> bool:
        """End a generation with every word that somebody may have seen, and tell of it.

        `error` says why it failed; without one somebody stopped it. The fence is where the text was read from.
        False: somebody has written meanwhile, so there is a worker after all. True: the lane has its ending, this one
        or another; whoever wrote that tells of it. Raises LogUnavailableError, TimeoutError, JetStreamError.
        """
        looked = False

        async def ending_of(told: Told) -> events.GenerationEnding:
            nonlocal looked
            if looked:
                raise _AliveError
            looked = True
            return await self._ending(generation, heard.hear(told), error)

        await begin_lane(self._bus, generation.key, generation.created)
        try:
            written = await end_instead(self._bus, self._reads, generation.key, generation.lane, ending_of)
        except _AliveError:
            return False
        if written.ours and isinstance(written.event, events.GenerationEnding):
            fact = ended_fact(generation.key, written.event, written.sequence)
            await asyncio.shield(publish(self._bus, fact))
        return True

    async def _ending(self, generation: Generation, said: Heard, error: events.Error | None) -> events.GenerationEnding:
        model = said.model or generation.model
        prices = await self._offers.prices(model) if said.attempts else None
        outcome = "cancelled" if error is None else "failed"
        name, now = f"{generation.key.run}.{generation.lane}.{outcome}", now_ms()
        text, text_ref = await self._blobs.inline_or_kept(f"{name}.text", said.text)
        reasoning, reasoning_ref = await self._blobs.inline_or_kept(f"{name}.reasoning", said.reasoning)
        fields: dict[str, Any] = {
            "lane": generation.lane,
            "at": now,
            "attempt": max(said.attempts, default=0),
            "model": model,
            "provider": said.provider,
            "text": text,
            "text_ref": text_ref,
            "reasoning": reasoning or None,
            "reasoning_ref": reasoning_ref,
            "tool_calls": said.tool_calls,
            "timings": heard.timings(said, generation.requested, now),
            **heard.bill(said, generation.asked, prices),
        }
        ending = heard.ending(fields, error)
        if len(events.encode(ending)) > MAX_EVENT_BYTES:  # the calls are in the lane as well
            return msgspec.structs.replace(ending, tool_calls=())
        return ending

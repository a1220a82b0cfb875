"""One generation, from the request to its single ending."""

import asyncio
import contextlib
import logging
import time
from typing import Any

from nats.aio.msg import Msg

from contracts import events
from contracts.generation import GenerateRequest
from kit.bus.publish import publish
from kit.bus.streams import BEAT_SECONDS
from kit.clock import now_ms
from kit.runlog.lane import RunKey
from kit.runlog.once import end_lane
from kit.runlog.writer import FencedError, LaneWriter
from kit.telemetry import measures
from kit.telemetry.spans import CLIENT, note, span
from services.inference import continuation, core
from services.inference.answer import Answer, failed_ending
from services.inference.cards import ModelCard
from services.inference.continuation import Continuing
from services.inference.control import Control
from services.inference.lease import Lease
from services.inference.parts import Parts
from services.inference.providers.base import ProviderCall, ProviderError

log = logging.getLogger(__name__)

UNKNOWN_MODEL = events.Error("unknown_model", "This model is not offered any more.")
INTERNAL = events.Error("internal", "Something went wrong on our side.")
INCOMPLETE = events.Error("provider_incomplete", "The model server ended the stream before the answer was complete.")


class LogRefusedError(Exception):
    """The log will never take what this generation wants to write."""


class Generation:
    """Calls the model, writes the lane, holds the lease, and ends the lane once."""

    def __init__(self, parts: Parts, request: GenerateRequest, delivery: Msg) -> None:
        self.request = request
        self.key = RunKey(request.owner.tenant, request.owner.user, request.run_id)
        self.lease = Lease(delivery)
        self._parts = parts
        self._control = Control(parts.bus, self.key, request.lane)
        self.handed_back = False
        """Another worker is to go on, and the request must be given back at once."""
        self._fenced = False  # another worker goes on already: be silent, a late word would hit its lease
        self._written = 0
        self._wake = asyncio.Event()

    def release(self) -> None:
        """Stop without an ending: another worker is to go on."""
        self.handed_back = True
        self._wake.set()

    def _on_fenced(self) -> None:
        self._fenced = True
        self._wake.set()

    async def run(self, *, first_delivery: bool) -> bool:
        """Do it; what goes wrong is told in the lane. False: the lane was not empty although it should have been.

        A request that comes for the first time finds an empty lane, and the fence notices if not: no need to look.
        """
        told = [] if first_delivery else await self._parts.reads.lane(self.key.lane(self.request.lane))
        match core.on_pickup(told, self._parts.settings.max_attempts):
            case core.Ended(sequence, ending):  # its worker died between the ending and the fact
                await self._tell(ending, sequence)
            case core.GiveUp(attempts):
                await self.give_up(events.Error("too_many_attempts", f"{attempts} attempts brought no answer."))
            case core.Begin() as begin:
                card = self._parts.catalogue.get(self.request.model)
                if card is None:
                    await self.give_up(UNKNOWN_MODEL)
                else:
                    await self._generate(begin, card)
        return not (first_delivery and self._fenced and self._written == 0)

    async def give_up(self, error: events.Error) -> None:
        """End the lane as failed, with every word it has, and park the request: nobody is to try it again."""
        told = await self._parts.reads.lane(self.key.lane(self.request.lane))
        text, reasoning = core.words(told)
        ending = await failed_ending(self.request, self._parts.blobs, error, text, reasoning)
        written = await end_lane(self._parts.bus, self.key, ending)
        if isinstance(written.event, events.GenerationEnding):
            await self._publish(written.event, written.sequence)
        await self.lease.park(self._parts.bus, f"{error.code}: {error.message}")

    async def _generate(self, begin: core.Begin, card: ModelCard) -> None:
        await self._control.listen(self._wake.set)
        writer = self._parts.writers.open(
            self.key, self.request.lane, attempt=begin.attempt, last=begin.last, fenced=self._on_fenced
        )
        try:
            ending = await self._answer(card, writer, begin)
            if ending is not None:
                self.handed_back = False
                writer.event(ending)
                sequence = await self._stored(writer)
                await self._tell(ending, sequence)
        except FencedError as error:
            self.handed_back = False
            log.warning("%s is fenced: %s", self.key.run, error)
        finally:
            self._written = writer.last - begin.last
            self._parts.writers.close(writer)
            await self._control.close()
        if writer.refused:
            raise LogRefusedError(writer.failure)

    async def _answer(self, card: ModelCard, writer: LaneWriter, begin: core.Begin) -> events.GenerationEnding | None:
        """Drive the provider's stream; the ending, or None if another worker goes on."""
        going_on = continuation.plan(card.continuation, begin.text, begin.reasoning)
        for event in self._opening(card, begin, going_on.mode):
            writer.event(event)
        answer = Answer(self.request, card, writer, begin.attempt, going_on)
        pump = asyncio.create_task(self._pump(card, writer, answer, going_on), name=f"pump {self.key.run}")
        limits = core.limits(self.request.timeouts, card.timeouts, self._parts.settings)
        too_late = await self._watch(pump, limits, writer, answer)
        if not pump.done():
            pump.cancel()
        await asyncio.wait({pump})
        if self._fenced:
            self.handed_back = False
            return None
        blobs = self._parts.blobs
        if answer.finish is not None:
            return await answer.completed(blobs)
        if self._control.cancelled:
            return await answer.cancelled(blobs)
        if too_late is not None:
            return await answer.failed(blobs, too_late)
        if self.handed_back:
            await writer.stored()
            return None
        return await answer.failed(blobs, _error_of(pump) or INCOMPLETE)

    def _opening(self, card: ModelCard, begin: core.Begin, mode: continuation.Mode) -> list[events.Event]:
        """What a lane is told before the first word of an attempt: the seam, if there is one, and who begins."""
        common: dict[str, Any] = {"lane": self.request.lane, "at": now_ms(), "attempt": begin.attempt}
        opening: list[events.Event] = []
        if mode != "restart":
            opening.append(events.GenerationResumed(**common, mode=mode))
        elif begin.last > 0:
            opening.append(events.GenerationRestarted(**common))
        return [*opening, events.GenerationStarted(**common, model=self.request.model, provider=card.provider)]

    async def _watch(
        self, pump: "asyncio.Task[None]", limits: core.Limits, writer: LaneWriter, answer: Answer
    ) -> events.Error | None:
        """The loop that drives the generation: beats, time limits, stops. Returns the limit that was passed."""
        started = time.monotonic()
        beat_at = started + BEAT_SECONDS
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            while True:
                deadline, _ = limits.deadline(started, answer.last_chunk)
                wait = min(deadline, beat_at) - time.monotonic()
                await asyncio.wait({pump, woken}, timeout=max(wait, 0), return_when=asyncio.FIRST_COMPLETED)
                if pump.done() or woken.done():
                    return None
                now = time.monotonic()
                deadline, error = limits.deadline(started, answer.last_chunk)
                if now >= deadline:
                    return error
                if now >= beat_at:
                    beat_at = now + BEAT_SECONDS
                    await self.lease.beat(writer)
                    self._control.alive()
        finally:
            woken.cancel()

    async def _pump(self, card: ModelCard, writer: LaneWriter, answer: Answer, going_on: Continuing) -> None:
        """Carry the provider's chunks into the lane; wait when the log is slower than the provider."""
        request = self.request
        asked = await self._parts.turns(request)
        call = ProviderCall(
            model=card.model,
            messages=continuation.turns(asked, going_on),
            temperature=request.parameters.temperature,
            max_tokens=request.parameters.max_tokens,
            extra=card.call_options(prefill=going_on.mode == "prefill"),
        )
        provider = self._parts.providers.get(card.provider)
        told = {"gen_ai.provider.name": card.provider, "gen_ai.request.model": card.model}
        with span("provider call", CLIENT, attributes=told):
            async with contextlib.aclosing(provider.stream(call)) as stream:
                first = True
                async for chunks in stream:
                    answer.take(chunks)
                    if first and answer.first_token_ms is not None:
                        first = False
                        measures.first_token("worker", answer.first_token_ms / 1000, request.model)
                    if writer.full:
                        await writer.room()

    async def _stored(self, writer: LaneWriter) -> int:
        """Wait until the ending is stored, and keep the lease meanwhile."""
        stored = asyncio.ensure_future(writer.stored())
        while not (await asyncio.wait({stored}, timeout=BEAT_SECONDS))[0]:
            await self.lease.beat(writer)
        return stored.result()

    async def _tell(self, ending: events.GenerationEnding, sequence: int) -> None:
        await self._publish(ending, sequence)
        await self.lease.done()

    async def _publish(self, ending: events.GenerationEnding, sequence: int) -> None:
        note("studio.outcome", core.outcome_of(ending))
        await publish(self._parts.bus, core.ended_fact(self.request, ending, sequence))


def _error_of(pump: "asyncio.Task[Any]") -> events.Error | None:
    """What the provider's stream died of, in words for the user."""
    error = None if pump.cancelled() else pump.exception()
    if error is None:
        return None
    if isinstance(error, ProviderError):
        return events.Error(error.code, error.message)
    log.error("a generation failed by our own doing", exc_info=error)
    return INTERNAL

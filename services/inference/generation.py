"""One generation, from the request to its single ending."""

import asyncio
import logging

from nats.aio.msg import Msg

from contracts import events
from contracts.generation import GenerateRequest
from kit.bus.publish import publish
from kit.clock import now_ms
from kit.runlog.lane import RunKey
from kit.runlog.once import Told, end_instead
from kit.runlog.outcome import ended_fact, outcome_of
from kit.runlog.writer import FencedError, LaneWriter
from kit.telemetry.spans import note
from services.inference import core, pickup
from services.inference.answer import Answer
from services.inference.attempt import Attempt
from services.inference.call import carry, failure_of
from services.inference.calls import Calls, Next
from services.inference.cards import ModelCard
from services.inference.control import Control
from services.inference.given_up import given_up
from services.inference.lease import Lease
from services.inference.parts import Parts
from services.inference.tries import Failure
from services.inference.watch import Watch

log = logging.getLogger(__name__)

UNKNOWN_MODEL = events.Error("unknown_model", "This model is not offered any more.")
SILENT = "first_token_timeout"


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
        match pickup.on_pickup(told, self._parts.settings.max_attempts):
            case pickup.Ended(sequence, ending):  # its worker died between the ending and the fact
                await self._tell(ending, sequence)
            case pickup.GiveUp(attempts):
                await self.give_up(events.Error("too_many_attempts", f"{attempts} attempts brought no answer."))
            case pickup.Begin() as begin:
                cards = self._cards(begin.past)
                if cards:
                    await self._generate(begin, cards)
                else:
                    await self.give_up(UNKNOWN_MODEL)
        return not (first_delivery and self._fenced and self._written == 0)

    async def give_up(self, error: events.Error) -> None:
        """End the lane as failed, with every word it has, and park the request: nobody is to try it again."""
        parts = self._parts

        async def ending_of(told: Told) -> events.GenerationFailed:
            return await given_up(self.request, parts.catalogue, parts.blobs, error, pickup.past(told))

        written = await end_instead(parts.bus, parts.reads, self.key, self.request.lane, ending_of)
        if isinstance(written.event, events.GenerationEnding):
            await self._publish(written.event, written.sequence)
        await self.lease.park(self._parts.bus, f"{error.code}: {error.message}")

    def _cards(self, past: pickup.Past) -> list[ModelCard]:
        """The models to ask, in order. Who has begun to answer goes on."""
        asked = (self.request.model, *self.request.fallbacks)
        if past.begun and past.model in asked:
            asked = asked[asked.index(past.model) :]
        cards = (self._parts.catalogue.get(model) for model in asked)
        return [card for card in cards if card is not None]

    async def _generate(self, begin: pickup.Begin, cards: list[ModelCard]) -> None:
        await self._control.listen(self._wake.set)
        writer = self._parts.writers.open(
            self.key,
            self.request.lane,
            attempt=begin.attempt,
            last=begin.last,
            fenced=self._on_fenced,
            before=begin.past,
        )
        watch = Watch(self.lease, self._control, writer, self._wake)
        try:
            ending = await self._answer(cards, writer, watch, begin)
            if ending is not None:
                self.handed_back = False
                writer.event(ending)
                await self._tell(ending, await watch.stored())
        except FencedError as error:
            self.handed_back = False
            log.warning("%s is fenced: %s", self.key.run, error)
        finally:
            self._written = writer.last - begin.last
            self._parts.writers.close(writer)
            await self._control.close()
        if writer.refused:
            raise LogRefusedError(writer.failure)

    async def _answer(
        self, cards: list[ModelCard], writer: LaneWriter, watch: Watch, begin: pickup.Begin
    ) -> events.GenerationEnding | None:
        """Call models until one has answered or nothing is left to try; the ending, or None if another worker goes on.

        What a call breaks off with does not end the answer by itself: it is retried, gone on with, or asked elsewhere.
        """
        calls = Calls(cards, begin, self._parts.settings, formed=core.formed(self.request.parameters))
        attempt = calls.first
        self._say_started(writer, attempt)
        answer = Answer(self.request, writer, begin.past, attempt)
        error: events.Error | None = None
        while True:
            limits = core.limits(self.request.timeouts, attempt.card.timeouts, self._parts.settings)
            failure = await self._call(attempt, limits, writer, watch, answer)
            if failure is None:
                break
            step = calls.after(attempt, failure, answer)
            if isinstance(step, events.Error):
                error = step
                break
            if step.code == "fallback":
                self._stop_kept(answer, attempt)
            self._say_next(writer, step, failure)
            error = await watch.pause(step.delay, limits)
            if error is not None or self._wake.is_set():
                break
            if step.started:
                self._say_started(writer, step.attempt)
            attempt = step.attempt
            answer.begin(attempt)
        if error is not None or self._control.cancelled:
            self._stop_kept(answer, attempt)
        return await self._ending(answer, writer, error)

    async def _call(
        self, attempt: Attempt, limits: core.Limits, writer: LaneWriter, watch: Watch, answer: Answer
    ) -> Failure | None:
        """One call of a model; None if it has answered, or is to be stopped."""
        call = asyncio.create_task(
            carry(self._parts, self.request, attempt, writer, answer), name=f"call {self.key.run}"
        )
        too_late = await watch.call(call, limits, answer)
        if not call.done():
            call.cancel()
        await asyncio.wait({call})
        if answer.finish is not None or self._wake.is_set():
            return None
        if too_late is None:
            return failure_of(call)
        if too_late.code == SILENT:
            self._parts.providers.breaker(attempt.card.provider).failed()
        return Failure(too_late)

    def _stop_kept(self, answer: Answer, attempt: Attempt) -> None:
        """Closing the connection does not stop an answer that its provider keeps."""
        if answer.running is not None and answer.finish is None:
            self._parts.providers.stop(attempt.card.provider, answer.running)
        answer.running = answer.reference = None

    async def _ending(
        self, answer: Answer, writer: LaneWriter, error: events.Error | None
    ) -> events.GenerationEnding | None:
        if self._fenced:
            self.handed_back = False
            return None
        blobs = self._parts.blobs
        if answer.finish is not None:
            return await answer.completed(blobs)
        if self._control.cancelled:
            return await answer.cancelled(blobs)
        if error is not None:
            return await answer.failed(blobs, error)
        await writer.stored()  # handed back: the next worker reads what this one has written
        return None

    def _say_started(self, writer: LaneWriter, attempt: Attempt) -> None:
        writer.event(
            events.GenerationStarted(
                lane=self.request.lane,
                at=now_ms(),
                attempt=attempt.number,
                model=attempt.card.id,
                provider=attempt.card.provider,
            )
        )

    def _say_next(self, writer: LaneWriter, step: Next, failure: Failure) -> None:
        """Tell those who wait why they wait."""
        writer.event(
            events.Notice(
                lane=self.request.lane,
                at=now_ms(),
                code=step.code,
                message=failure.error.message,
                model=step.attempt.card.id,
                delay_ms=round(step.delay * 1000),
            )
        )

    async def _tell(self, ending: events.GenerationEnding, sequence: int) -> None:
        await self._publish(ending, sequence)
        await self.lease.done()

    async def _publish(self, ending: events.GenerationEnding, sequence: int) -> None:
        note("studio.outcome", outcome_of(ending))
        await publish(self._parts.bus, ended_fact(self.key, ending, sequence))

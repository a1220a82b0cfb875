"""A worker at one lane of a comparison, as the test wants it."""

from dataclasses import dataclass, field
from typing import Any

from nats.aio.msg import Msg

from contracts import events, subjects
from contracts.generation import GenerationEnded
from kit.bus.connection import Bus
from kit.clock import now_ms
from kit.runlog.lane import RunKey
from kit.runlog.outcome import ended_fact
from kit.runlog.writer import LaneWriter


@dataclass
class Answering:
    """A worker's hold on one lane."""

    bus: Bus
    key: RunKey
    lane: str
    model: str
    writer: LaneWriter
    attempt: int = 1
    stops: list[Msg] = field(default_factory=list)
    """Requests to stop; they are answered when it has."""
    subscription: Any = None

    async def listen(self) -> "Answering":
        """Hear what a worker hears, and begin."""
        key = self.key
        subject = subjects.CONTROL.format(tenant=key.tenant, user=key.user, run=key.run, lane=self.lane)
        self.subscription = await self.bus.client.subscribe(subject, cb=self._hear)
        self.writer.event(
            events.GenerationStarted(
                lane=self.lane, at=now_ms(), attempt=self.attempt, model=self.model, provider=f"of-{self.model}"
            )
        )
        await self.writer.stored()
        return self

    async def die(self) -> None:
        """Be there no more."""
        if self.subscription is not None:
            subscription, self.subscription = self.subscription, None
            await subscription.unsubscribe()
            await self.bus.client.flush()

    async def _hear(self, message: Msg) -> None:
        if message.subject.startswith("control.cancel."):
            self.stops.append(message)
        else:
            await message.respond(b"")

    async def say(self, *texts: str) -> None:
        """Write, and wait until it is stored."""
        for text in texts:
            self.writer.text("generation.delta", text)
        await self.writer.stored()

    async def finish(self, text: str = "", kind: type = events.GenerationCompleted, **more: Any) -> GenerationEnded:
        """Write the ending; the fact about it is returned and not told."""
        if kind is events.GenerationCompleted:
            more = {"finish_reason": "stop", "usage": events.Usage(7, 50), "cost_usd": "0.001", **more}
        elif kind is events.GenerationFailed:
            more = {"error": events.Error("provider_unavailable", f"{self.model} does not answer."), **more}
        if "text_ref" not in more:
            more["text"] = text
        ending = kind(
            lane=self.lane,
            at=now_ms(),
            attempt=self.attempt,
            model=self.model,
            provider=f"of-{self.model}",
            timings=events.Timings(5, 100, 1100),
            **more,
        )
        self.writer.event(ending)
        sequence = await self.writer.stored()
        await self.die()
        return ended_fact(self.key, ending, sequence)

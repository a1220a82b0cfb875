"""A worker as the test wants it: it hears what a worker hears, and writes what a worker writes."""

from dataclasses import dataclass, field
from typing import Any

from nats.aio.msg import Msg

from contracts import events, subjects
from contracts.generation import GenerationEnded
from contracts.ids import MAIN_LANE
from kit.bus.connection import Bus
from kit.clock import now_ms
from kit.runlog.lane import RunKey
from kit.runlog.outcome import ended_fact
from kit.runlog.writer import LaneWriter


@dataclass
class Answering:
    """A worker's hold on one generation."""

    bus: Bus
    key: RunKey
    writer: LaneWriter
    attempt: int
    model: str
    lane: str = MAIN_LANE
    pings: int = 0
    hangs: bool = False
    stops: list[Msg] = field(default_factory=list)
    """Requests to stop, to be answered when it has."""
    subscription: Any = None

    async def listen(self) -> "Answering":
        """Hear what a worker hears."""
        subject = subjects.CONTROL.format(tenant=self.key.tenant, user=self.key.user, run=self.key.run, lane=self.lane)
        self.subscription = await self.bus.client.subscribe(subject, cb=self._hear)
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
            return
        self.pings += 1
        if not self.hangs:
            await message.respond(b"")

    async def say(self, *texts: str, kind: str = "generation.delta") -> None:
        """Write, and wait until it is stored. Raises FencedError."""
        for text in texts:
            self.writer.text(kind, text)
        await self.writer.stored()

    async def tell(self, event: events.Event) -> int:
        """Write any other event."""
        self.writer.event(event)
        return await self.writer.stored()

    async def finish(self, text: str, kind: type = events.GenerationCompleted, **more: Any) -> GenerationEnded:
        """Write the ending; the fact about it is returned and not told. Raises FencedError."""
        if kind is events.GenerationCompleted:
            more = {"finish_reason": "stop", "provider": "p", **more}
        elif kind is events.GenerationFailed:
            more = {"error": events.Error("provider_unavailable", "It does not answer."), **more}
        ending = kind(lane=self.lane, at=now_ms(), attempt=self.attempt, model=self.model, text=text, **more)
        sequence = await self.tell(ending)
        return ended_fact(self.key, ending, sequence)

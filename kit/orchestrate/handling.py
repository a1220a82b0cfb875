"""What the process of every service is made of that has rows of its own and takes messages."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from contracts.message import Request, Value
from kit.bus.blobs import Blobs
from kit.bus.broker import make_broker
from kit.bus.connection import Bus
from kit.bus.describe import describe_service
from kit.bus.health import answer_health
from kit.bus.rpc import on_request
from kit.bus.streams import ready_streams
from kit.db.database import UNAVAILABLE, Database
from kit.ids import new_id
from kit.orchestrate.available import when_available
from kit.orchestrate.duty import Duty
from kit.settings import Settings
from kit.telemetry.setup import broker_middlewares

Handler = Callable[[Any], Awaitable[Value]]
Served = Sequence[tuple[type[Request[Any]], Handler]]

PERIODS_OF_SILENCE = 3
"""After so many of its own periods, and a second, a replica that has a duty loses it to another."""


class Part(Protocol):
    """Something that works for as long as the service runs."""

    async def start(self) -> None:
        """Begin."""

    async def stop(self) -> None:
        """End."""


class HandlingService:
    """The connections. A subclass adds its own parts to `_parts`, in the order of their start."""

    def __init__(self, settings: Settings, name: str, handlers: int) -> None:
        """`handlers`: messages of one kind that are handled at the same time."""
        self._name, self._bus_settings, self._handlers = name, settings.nats, handlers
        self._bus = Bus(settings.nats, name)
        self._blobs = Blobs(self._bus, settings.nats.replicas)
        self._database = Database(settings.database, name)
        self._broker = make_broker(
            settings.nats, name, self._bus, transient=UNAVAILABLE, middlewares=broker_middlewares()
        )
        self._replica = new_id(name)
        self._parts: tuple[Part, ...] = ()

    def _duty(self, work: str, period_seconds: float) -> Duty:
        """What one replica does for all of them."""
        return Duty(self._database, self._name, work, self._replica, PERIODS_OF_SILENCE * period_seconds + 1)

    def _serve(self, short: Served, long: Served, about: str) -> None:
        """Answer requests. The replies of `long` may be longer than a message; all requests may be."""
        for blobs, handlers in ((None, short), (self._blobs, long)):
            for request, handler in handlers:
                register = on_request(self._broker, request, workers=self._handlers, blobs=blobs, kept=self._blobs)
                register(when_available(handler))
        describe_service(self._broker, self._name, about)
        answer_health(self._broker, self._name, self._database.answers)

    async def _connect(self) -> None:
        await asyncio.gather(self._bus.connect(), self._database.connect())
        await ready_streams(self._bus.client, self._bus_settings, self._name)

    async def start(self) -> None:
        """Connect to everything and take messages. Raises BusError, LogUnavailableError or a database error."""
        await self._connect()
        await self._broker.start()
        for part in self._parts:
            await part.start()

    async def stop(self) -> None:
        """Finish what is being handled, then disconnect."""
        await self._broker.stop()
        for part in reversed(self._parts):
            await part.stop()
        await self._bus.close()
        await self._database.close()

    async def wait(self) -> None:
        """Its connections heal by themselves; there is nothing to wait for."""
        await asyncio.Event().wait()

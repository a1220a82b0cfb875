"""What a running generation hears from outside: stop, and "is anybody there?"."""

import time
from collections.abc import Callable

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from contracts import subjects
from kit.bus.connection import Bus
from kit.bus.streams import LEASE_SECONDS
from kit.runlog.lane import RunKey


class Control:
    """One generation's control subjects, heard only while it runs."""

    def __init__(self, bus: Bus, key: RunKey, lane: str) -> None:
        self.cancelled = False
        self._bus = bus
        self._names = {"tenant": key.tenant, "user": key.user, "run": key.run, "lane": lane}
        self._subscriptions: list[Subscription] = []
        self._stops: list[Msg] = []
        self._moved_at = time.monotonic()
        self._wake: Callable[[], None] = lambda: None

    async def listen(self, wake: Callable[[], None]) -> None:
        """Begin to hear; `wake` is called when the generation is to stop."""
        self._wake = wake
        client = self._bus.client
        self._subscriptions = [
            await client.subscribe(subjects.CANCEL.format(**self._names), cb=self._on_cancel),
            await client.subscribe(subjects.PING.format(**self._names), cb=self._on_ping),
        ]

    def alive(self) -> None:
        """The generation's own loop has moved."""
        self._moved_at = time.monotonic()

    async def close(self) -> None:
        """Answer those who asked for the stop, and hear no more: the provider's stream is closed by now."""
        for message in self._stops:
            await message.respond(b"")
        if not self._bus.client.is_closed:
            for subscription in self._subscriptions:
                await subscription.unsubscribe()

    async def _on_cancel(self, message: Msg) -> None:
        self.cancelled = True
        self._stops.append(message)
        self._wake()

    async def _on_ping(self, message: Msg) -> None:
        if time.monotonic() - self._moved_at < LEASE_SECONDS:
            await message.respond(b"")

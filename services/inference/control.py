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
        self._subscription: Subscription | None = None
        self._cancel = subjects.CANCEL.format(**self._names)
        self._stops: list[Msg] = []
        self._moved_at = time.monotonic()
        self._wake: Callable[[], None] = lambda: None

    async def listen(self, wake: Callable[[], None]) -> None:
        """Begin to hear; `wake` is called when the generation is to stop."""
        self._wake = wake
        self._subscription = await self._bus.client.subscribe(subjects.CONTROL.format(**self._names), cb=self._hear)

    def alive(self) -> None:
        """The generation's own loop has moved."""
        self._moved_at = time.monotonic()

    async def close(self) -> None:
        """Answer those who asked for the stop, and hear no more: the provider's stream is closed by now."""
        for message in self._stops:
            await message.respond(b"")
        if self._subscription is not None and not self._bus.client.is_closed:
            await self._subscription.unsubscribe()

    async def _hear(self, message: Msg) -> None:
        if message.subject == self._cancel:
            self.cancelled = True
            self._stops.append(message)
            self._wake()
        elif time.monotonic() - self._moved_at < LEASE_SECONDS:
            await message.respond(b"")

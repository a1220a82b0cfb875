"""Pulling work from a queue: as much as there are free slots, and the moment one becomes free."""

import asyncio
import json
import logging
from collections.abc import Callable

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from kit.bus.connection import Bus
from kit.tasks import cancelled

log = logging.getLogger(__name__)

PULL_EXPIRES_SECONDS = 2.0
"""The server forgets a pull after this long; a lost one costs at most as much waiting."""
REFUSED_PAUSE_SECONDS = 0.25
"""Before the next pull when one is refused, as all are at once while the consumer has no leader."""
_OVERDUE_SECONDS = 1.0
_EXPIRED = "408"
_NANOSECONDS = 1_000_000_000


class WorkPuller:
    """Keeps one pull request open that asks for exactly the free slots.

    `take` is called for every message and must start its own task: it may not wait.
    """

    def __init__(self, bus: Bus, stream: str, consumer: str, slots: int, take: Callable[[Msg], None]) -> None:
        self._bus = bus
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._take = take
        self._free = slots
        self._asked: dict[int, int] = {}  # pull number -> messages it may still bring
        self._pulls = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._inbox = ""
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        """Begin to take work."""
        self._inbox = self._bus.client.new_inbox()  # known only to who is connected
        self._subscription = await self._bus.client.subscribe(f"{self._inbox}.*", cb=self._on_message)
        self._task = asyncio.create_task(self._run(), name="work-puller")
        self._bus.on_reconnect.append(self._forget_pulls)

    async def stop(self) -> None:
        """Take no more work. Messages that are on their way come back after their lease."""
        if self._task is not None:
            await cancelled(self._task)
            self._task = None
        if self._subscription is not None and not self._bus.client.is_closed:
            await self._subscription.unsubscribe()

    def release(self) -> None:
        """A slot is free again."""
        self._free += 1
        self._wake.set()

    async def _forget_pulls(self) -> None:
        self._asked.clear()
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            if self._bus.connected:
                wanted = self._free - sum(self._asked.values())
                if wanted > 0:
                    await self._pull(wanted)
            await self._wake.wait()

    async def _pull(self, count: int) -> None:
        self._pulls += 1
        number = self._pulls
        self._asked[number] = count
        request = {"batch": count, "expires": int(PULL_EXPIRES_SECONDS * _NANOSECONDS)}
        body = json.dumps(request).encode()
        await self._bus.client.publish(self._subject, body, reply=f"{self._inbox}.{number}")
        loop = asyncio.get_running_loop()
        loop.call_later(PULL_EXPIRES_SECONDS + _OVERDUE_SECONDS, self._end_pull, number)

    def _end_pull(self, number: int) -> None:
        if self._asked.pop(number, None) is not None:
            self._wake.set()

    async def _on_message(self, message: Msg) -> None:
        if message.subject.startswith(self._inbox):  # a status: the pull expired, or the consumer is away
            number = int(message.subject.rsplit(".", 1)[1])
            if (message.headers or {}).get("Status") == _EXPIRED:
                self._end_pull(number)
            else:
                asyncio.get_running_loop().call_later(REFUSED_PAUSE_SECONDS, self._end_pull, number)
            return
        self._count_down()
        self._free -= 1
        self._wake.set()
        self._take(message)

    def _count_down(self) -> None:
        """One message has come. It does not say for which pull; the server serves the oldest first."""
        if not self._asked:
            return
        number = next(iter(self._asked))
        self._asked[number] -= 1
        if self._asked[number] == 0:
            del self._asked[number]

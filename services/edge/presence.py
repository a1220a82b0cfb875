"""Who watches which run here, and who has seen its end: answered to the notifier, which tells only those who are away.

An edge is subscribed to a run's presence while it has a stream of it open, and for a while after the run's end has
reached a client. "No responders" says that there is nobody. Each replica answers for its own clients.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from contracts import subjects
from contracts.session import Presence
from kit.bus.connection import Bus
from kit.runlog.lane import RunKey
from services.edge.delivery import Delivery

log = logging.getLogger(__name__)

SUBSCRIBE_AFTER_SECONDS = 0.25
"""Of a stream that stays: those that begin at the same moment are to have their first tokens first."""
MAX_SEEN = 10_000
"""Runs of which it is known that their end was seen. The oldest is forgotten: its owner may be told of it once more."""


class _Run:
    """What is known of one run. `watching` counts its streams, and those whose end is on its way."""

    __slots__ = ("expiry", "later", "opening", "seen", "subscription", "watching")

    def __init__(self) -> None:
        self.watching = 0
        self.seen = False
        self.expiry: asyncio.TimerHandle | None = None
        self.later: asyncio.TimerHandle | None = None
        self.opening: asyncio.Task[None] | None = None
        self.subscription: Subscription | None = None


class Audience:
    """The runs that clients of this process watch, or have seen the end of. A key says whose run it is."""

    def __init__(self, bus: Bus, *, seen_seconds: float, unacknowledged_seconds: float) -> None:
        self._bus, self._seen_seconds, self._patience = bus, seen_seconds, unacknowledged_seconds
        self._runs: dict[RunKey, _Run] = {}
        self._seen: OrderedDict[RunKey, _Run] = OrderedDict()
        self._confirming: set[asyncio.Task[None]] = set()

    def join(self, key: RunKey) -> None:
        """A stream of this run has begun. Nothing is waited for."""
        run = self._known(key)
        run.watching += 1
        if run.subscription is None and run.opening is None and run.later is None:
            later = asyncio.get_running_loop().call_later
            run.later = later(SUBSCRIBE_AFTER_SECONDS, self._subscribe, key, run)

    def leave(self, key: RunKey) -> None:
        """It has ended, however it did."""
        run = self._runs.get(key)
        if run is not None:
            run.watching -= 1
            self._settle(key, run)

    @contextmanager
    def watching(self, key: RunKey) -> Iterator[None]:
        """Somebody waits for this run."""
        self.join(key)
        try:
            yield
        finally:
            self.leave(key)

    def saw(self, key: RunKey) -> None:
        """The run's end has reached a client."""
        run = self._known(key)
        run.seen = True
        if run.expiry is not None:
            run.expiry.cancel()
        run.expiry = asyncio.get_running_loop().call_later(self._seen_seconds, self._expire, key, run)
        self._seen[key] = run
        self._seen.move_to_end(key)
        self._subscribe(key, run)
        if len(self._seen) > MAX_SEEN:
            self._expire(*next(iter(self._seen.items())))

    def told(self, key: RunKey, transport: asyncio.Transport | None) -> None:
        """The run's end was written to this connection. It is seen when the client has confirmed that."""
        try:
            delivery = Delivery.on(transport)
        except ConnectionError:
            return
        if delivery is None:
            self.saw(key)
            return
        self.join(key)  # at once: its stream is about to leave
        task = asyncio.create_task(self._confirm(key, delivery), name=f"seen {key.run}")
        self._confirming.add(task)

        def done(task: asyncio.Task[None]) -> None:
            self._confirming.discard(task)
            delivery.close()
            self.leave(key)

        task.add_done_callback(done)

    async def close(self) -> None:
        """Answer nothing more."""
        for task in self._confirming:
            task.cancel()
        await asyncio.gather(*self._confirming, return_exceptions=True)
        for key, run in list(self._runs.items()):
            self._forget(key, run)
        self._seen.clear()

    def __len__(self) -> int:
        """Runs that anything is known of."""
        return len(self._runs)

    async def _confirm(self, key: RunKey, delivery: Delivery) -> None:
        if await delivery.confirmed(self._patience):
            self.saw(key)

    def _known(self, key: RunKey) -> _Run:
        run = self._runs.get(key)
        if run is None:
            run = self._runs[key] = _Run()
        return run

    def _expire(self, key: RunKey, run: _Run) -> None:
        run.seen = False
        self._seen.pop(key, None)
        self._settle(key, run)

    def _settle(self, key: RunKey, run: _Run) -> None:
        if not run.watching and not run.seen:
            self._forget(key, run)

    def _forget(self, key: RunKey, run: _Run) -> None:
        for timer in (run.expiry, run.later):
            if timer is not None:
                timer.cancel()
        if self._runs.get(key) is run:
            del self._runs[key]
        if run.subscription is not None:
            self._bus.fast.drop(run.subscription)
            run.subscription = None

    def _subscribe(self, key: RunKey, run: _Run) -> None:
        if run.later is not None:
            run.later.cancel()
            run.later = None
        if run.subscription is None and run.opening is None:
            run.opening = asyncio.create_task(self._open(key, run), name=f"presence {key.run}")

    async def _open(self, key: RunKey, run: _Run) -> None:
        async def answer(message: Msg) -> None:
            if message.reply:
                await message.respond(Presence(watching=run.watching, seen=run.seen).model_dump_json().encode())

        subject = subjects.PRESENCE.format(tenant=key.tenant, user=key.user, run=key.run)
        try:
            run.subscription = await self._bus.client.subscribe(subject, cb=answer)
        except Exception as error:  # the connection is being closed
            log.warning("nobody can be told who watches %s: %r", key.run, error)
        finally:
            run.opening = None
        if self._runs.get(key) is not run:  # all have left meanwhile
            self._forget(key, run)


class Watching:
    """One client's stream of one run."""

    def __init__(self, audience: Audience, key: RunKey) -> None:
        self._audience, self._key = audience, key

    def begin(self) -> None:
        """It is open."""
        self._audience.join(self._key)

    def told(self, transport: asyncio.Transport | None) -> None:
        """The run's end was written to it."""
        self._audience.told(self._key, transport)

    def end(self) -> None:
        """It is closed."""
        self._audience.leave(self._key)

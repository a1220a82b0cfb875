"""Telling the notifier where people can be reached: once when they come, and again now and then.

Every edge tells what it meets itself; of two facts about one user the later one holds.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from contracts.message import Owner
from contracts.session import SessionBegunFact
from kit.auth.principal import Principal
from kit.clock import now_ms

log = logging.getLogger(__name__)

REMEMBERED = 20_000
"""Callers of one process; one that was forgotten is told of again."""
WAIT_SECONDS = 2.0
"""A request waits so long for its session to be known, and then goes on without: it is not about mail."""
AWAY_SECONDS = 5.0
"""After a failure, how long requests do not wait at all: otherwise each would, while the bus is away."""


class Sessions:
    """Which callers were told of. A caller is a user with an address and a name: if one of them changes, it is another.

    Two devices of a user may bring two addresses by turns, in tokens of different age; each is told once in a while.
    """

    def __init__(self, publish: Callable[[SessionBegunFact], Awaitable[object]], seconds: float) -> None:
        """`publish` returns when the fact is stored; `seconds` is how often somebody who goes on calling is told of."""
        self._publish, self._seconds = publish, seconds
        self._told: OrderedDict[Principal, float] = OrderedDict()
        self._telling: dict[Principal, asyncio.Task[None]] = {}
        self._away_until = 0.0

    def knows(self, principal: Principal) -> bool:
        """Whether there is nothing to tell of a caller."""
        if principal.email is None:
            return True
        told = self._told.get(principal)
        return told is not None and asyncio.get_running_loop().time() - told < self._seconds

    async def begin(self, principal: Principal) -> None:
        """Tell of a caller, and wait until it is stored, for a bounded time. Never fails: the next request tries again.

        Requests of one caller that come at once share one fact.
        """
        telling = self._telling.get(principal)
        if telling is None:
            telling = self._telling[principal] = asyncio.create_task(self._tell(principal), name="session")
            telling.add_done_callback(lambda _: self._telling.pop(principal, None))
        if asyncio.get_running_loop().time() >= self._away_until:
            await asyncio.wait({telling}, timeout=WAIT_SECONDS)

    def close(self) -> None:
        """Tell nothing more."""
        for telling in list(self._telling.values()):
            telling.cancel()

    async def _tell(self, principal: Principal) -> None:
        loop = asyncio.get_running_loop()
        owner = Owner(tenant=principal.tenant_token, user=principal.user_token)
        fact = SessionBegunFact(owner=owner, email=principal.email or "", name=principal.name, at=now_ms())
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._publish(fact)
        except Exception as error:  # whatever it is: nobody who calls is refused for it
            self._away_until = loop.time() + AWAY_SECONDS
            log.warning("where somebody is to be told of runs could not be stored; it is tried again: %r", error)
            return
        self._away_until = 0.0
        self._told[principal] = loop.time()
        self._told.move_to_end(principal)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

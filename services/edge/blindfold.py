"""Who is told a blind comparison without names, and a follower that tells it so."""

import asyncio

from contracts.chat import Run
from contracts.compare import GetCompareRun
from contracts.ids import is_blind
from contracts.message import Owner
from kit.bus.rpc import Unavailable
from kit.refusal import Refused
from kit.runlog.blind import redact
from kit.runlog.follow import Follower
from kit.runlog.reads import LogMessage
from services.edge.gateway import Gateway


async def is_hidden(gateway: Gateway, owner: Owner, run_id: str, *, ended: bool) -> bool:
    """Whether a run may be told only without names. If nobody can say, it is.

    A vote is taken only after the end, so compare is asked only then.
    """
    if not is_blind(run_id):
        return False
    if not ended:
        return True
    try:
        run: Run = await gateway.ask(GetCompareRun(owner=owner, run_id=run_id))
    except (Refused, Unavailable):
        return True
    return not run.revealed


class Blindfold:
    """A follower that hands out only what may be told before the vote."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    @property
    def ended(self) -> bool:
        """Nothing more comes."""
        return self._follower.ended

    async def next(self, timeout: float) -> list[LogMessage]:
        """The next events that may be told; an empty list after `timeout` seconds in which there was none."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            batch = await self._follower.next(max(0.0, deadline - loop.time()))
            told = [message for each in batch if (message := redact(each)) is not None]
            if told or not batch or self.ended or loop.time() >= deadline:
                return told

    def interrupt(self) -> None:
        """Make a waiting `next` return at once."""
        self._follower.interrupt()

    async def close(self) -> None:
        """Unsubscribe."""
        await self._follower.close()

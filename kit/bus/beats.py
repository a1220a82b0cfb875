"""Telling the bus that a message is still being handled, so that it is not handed to somebody else meanwhile."""

import asyncio
import logging

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from kit.bus.streams import HANDLER_ACK_WAIT_SECONDS

log = logging.getLogger(__name__)

HANDLER_BEAT_SECONDS = HANDLER_ACK_WAIT_SECONDS / 3
HANDLER_LONGEST_SECONDS = 60.0
"""A handler that takes longer hangs, as far as we can tell: the message is given to another replica."""


class Beats:
    """Beats for one delivery, from the first time it could be missed until `stop`."""

    def __init__(self, message: Msg) -> None:
        self._message = message
        self._left = int(HANDLER_LONGEST_SECONDS / HANDLER_BEAT_SECONDS)
        self._sending: asyncio.Task[None] | None = None
        self._next = self._later()

    def stop(self) -> None:
        """No beat is sent from now on: after the acknowledgement it would be noise."""
        self._next.cancel()
        if self._sending is not None:
            self._sending.cancel()

    def _later(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(HANDLER_BEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        if self._left == 0:
            log.warning("%s is handled for %g s: no more beats", self._message.subject, HANDLER_LONGEST_SECONDS)
            return
        self._left -= 1
        self._sending = asyncio.create_task(self._send(), name="handler-beat")
        self._next = self._later()

    async def _send(self) -> None:
        try:
            await self._message.in_progress()
        except NatsError as error:  # the connection is away: the next beat, or the message comes again
            log.debug("no beat for %s: %r", self._message.subject, error)

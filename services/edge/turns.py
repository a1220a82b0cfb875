"""Requests take turns with the streams: a thousand who come at once are not all let in before anybody gets a token."""

import asyncio
from collections import deque

REQUESTS_PER_TURN = 4
"""Begun in one turn of the event loop; each costs about a millisecond."""


class Turns:
    """Lets so many through in each turn of the event loop; the others wait, first come, first served."""

    def __init__(self, each: int = REQUESTS_PER_TURN) -> None:
        self._each = self._left = each
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._scheduled = False

    async def wait(self) -> None:
        """Until it is this request's turn: mostly at once."""
        if self._left and not self._waiting:
            self._left -= 1
            self._schedule()
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._schedule()
        await turn

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        self._left = self._each
        while self._waiting and self._left:
            turn = self._waiting.popleft()
            if not turn.done():  # otherwise it has been given up
                turn.set_result(None)
                self._left -= 1
        if self._waiting or self._left < self._each:
            self._schedule()

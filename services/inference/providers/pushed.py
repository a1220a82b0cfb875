"""A response's body given to a function inside the socket's read: the wake-up of a task for each token costs too much.

aiohttp wakes whoever waits for a body by its reader's `_waiter`, a future. Here something else stands in its place that
looks like one: it takes what there is at once and stands there again. Whatever is not simply more data (the end, a
lost connection, a reader that says stop) ends it, and is found by the next ordinary read.

It touches aiohttp's private `_waiter`; tests/integration/providers/test_pushed.py holds the pinned version to that.
"""

import asyncio
from collections.abc import Callable

import aiohttp

Take = Callable[[bytes], bool]
"""Given what was read; whether it wants more. What it raises is raised by `push`."""


async def push(content: aiohttp.StreamReader, take: Take) -> bool:
    """Give a body to `take` until it wants no more (True) or something else than data comes (False)."""
    return await _Pushed(content, take).over()


class _Pushed:
    """Has the methods of a future that aiohttp calls."""

    def __init__(self, content: aiohttp.StreamReader, take: Take) -> None:
        self._content, self._take = content, take
        self._over: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def over(self) -> bool:
        self._go_on()
        try:
            return await self._over
        finally:
            if self._content._waiter is self:  # type: ignore[comparison-overlap]
                self._content._waiter = None

    def done(self) -> bool:
        return self._over.done()

    def set_result(self, _: None) -> None:
        """More data, or its end."""
        self._go_on()

    def set_exception(self, _: BaseException) -> None:
        """The connection is lost: the next read says so."""
        self._end(enough=False)

    def _go_on(self) -> None:
        content = self._content
        try:
            while content.exception() is None and (data := content.read_nowait()):
                if not self._take(data):
                    self._end(enough=True)
                    return
        except Exception as error:
            if not self._over.done():
                self._over.set_exception(error)
            return
        if content.exception() is not None or content.is_eof():
            self._end(enough=False)
        else:
            content._waiter = self  # type: ignore[assignment]

    def _end(self, *, enough: bool) -> None:
        if not self._over.done():
            self._over.set_result(enough)

"""Waiting for the next event or for silence, at the cost of no timer per event."""

import asyncio


class Alarm:
    """One waiter; the timer outlives its waits and is set again only when it rings."""

    def __init__(self) -> None:
        self._wake: asyncio.Future[bool] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._silent_until = 0.0

    def signal(self) -> None:
        """Something has happened: the wait ends."""
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(True)

    async def woken(self, timeout: float) -> bool:
        """Wait for a signal; False after `timeout` seconds without one."""
        loop = asyncio.get_running_loop()
        self._wake = wake = loop.create_future()
        self._silent_until = loop.time() + timeout
        if self._timer is None or self._timer.when() > self._silent_until:
            self._ring_at(self._silent_until)
        try:
            woken: bool = await wake
            return woken
        finally:
            self._wake = None

    def close(self) -> None:
        """Forget the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring_at(self, moment: float) -> None:
        self.close()
        self._timer = asyncio.get_running_loop().call_at(moment, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._wake is None:
            return
        if asyncio.get_running_loop().time() < self._silent_until:
            self._ring_at(self._silent_until)
        elif not self._wake.done():
            self._wake.set_result(False)

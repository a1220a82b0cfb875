"""Finding what was left undone by a process that died, or missed by a timer."""

from datetime import timedelta

from kit.clock import utc_now
from kit.orchestrate.periodic import Periodic
from services.architect.onward import Onward
from services.architect.step_handlers import StepHandlers
from services.architect.timer_handlers import TimerHandlers

LEFT_AFTER = timedelta(seconds=2)
BATCH = 100


class Sweep:
    """Looks again and again, on every replica: what is found twice is done once."""

    def __init__(self, onward: Onward, timers: TimerHandlers, steps: StepHandlers, seconds: float) -> None:
        self._onward, self._timers, self._steps = onward, timers, steps
        self._sweeping = Periodic("sweep-runs", seconds, self.sweep)

    async def start(self) -> None:
        """Begin to look."""
        await self._sweeping.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._sweeping.stop()

    async def sweep(self) -> None:
        """Do what was left."""
        before = utc_now() - LEFT_AFTER
        await self._onward.sweep(before, BATCH)
        await self._timers.sweep(before, BATCH)
        await self._steps.sweep(before, BATCH)

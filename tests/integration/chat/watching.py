"""A watchdog whose clock is the test's."""

from typing import Any

from kit.orchestrate.duty import Duty
from kit.orchestrate.watchdog import Watchdog
from services.chat.service import ChatService
from services.chat.watched import WatchedRuns
from tests.fixtures.polling import until
from tests.integration.chat.world import World

PERIOD = 10.0
UNANSWERED = 300.0


class Watched:
    """Looks when the test says so, and believes that as much time has passed as the test says."""

    def __init__(self, service: ChatService, holder: str = "one") -> None:
        self.now = 1000.0
        self._watchdog = Watchdog(
            service._bus,
            WatchedRuns(service._database, service._endings),
            service._stand_in,
            Duty(service._database, "chat", "watch", holder, 31),
            period_seconds=PERIOD,
            unanswered_seconds=UNANSWERED,
            clock=lambda: self.now,
        )

    async def look(self) -> None:
        """Once."""
        await self._watchdog.look()

    async def pass_time(self, seconds: float) -> None:
        """Look every period, as long as that."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(self.now + PERIOD, until)
            await self.look()


async def ended(world: World, key: Any) -> dict[str, Any]:
    """The run's row once it has ended and its log says so."""

    async def told() -> dict[str, Any]:
        row = await world.row(key)
        return row if row["told_at"] else {}

    return await until(told)

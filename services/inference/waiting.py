"""How much work waits for a free slot, for those who decide how many workers there are."""

import asyncio
import json

from kit.bus.connection import Bus
from kit.bus.streams import INFERENCE_CONSUMER
from kit.tasks import cancelled
from kit.telemetry import measures
from kit.telemetry.setup import enabled

LOOK_SECONDS = 5.0
ANSWER_SECONDS = 2.0
INFO = f"$JS.API.CONSUMER.INFO.WORK.{INFERENCE_CONSUMER}"


class Waiting:
    """Asks the server now and then, while anybody measures. Every worker says the same: the greatest is true."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._task: asyncio.Task[None] | None = None
        self.count: int | None = None
        """Requests that no worker has; None: the server has not said."""

    def start(self) -> None:
        """Begin, if there is a reader."""
        if enabled():
            measures.watch_waiting(lambda: self.count)
            self._task = asyncio.create_task(self._run(), name="waiting-work")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            await cancelled(self._task)

    async def _run(self) -> None:
        while True:
            self.count = await self._ask()
            await asyncio.sleep(LOOK_SECONDS)

    async def _ask(self) -> int | None:
        try:
            answer = await self._bus.client.request(INFO, b"", timeout=ANSWER_SECONDS)
            return int(json.loads(answer.data)["num_pending"])
        except Exception:  # away, slow, or an error instead of an answer: nothing is known for a while
            return None

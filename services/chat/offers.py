"""Which models can be asked for, as inference says; remembered for a short time."""

import asyncio
import time
from collections.abc import Sequence

from contracts.generation import ListModels, ModelList
from kit.bus.connection import Bus
from kit.bus.rpc import Unavailable, call
from kit.refusal import Refused

FRESH_SECONDS = 30.0
UNKNOWN_RETRY_SECONDS = 1.0
"""A model nobody knows makes us ask again, but not more often than this."""
TIMEOUT_SECONDS = 3.0


class Offers:
    """The ids of the models. Stale ids are better than none: inference decides in the end."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._ids: tuple[str, ...] = ()
        self._asked_at = -FRESH_SECONDS
        self._asking = asyncio.Lock()

    async def ids(self, wanted: str | None) -> Sequence[str]:
        """The offered ids. Asks again if they are old, or lack `wanted`. Raises Refused if inference never answered."""
        age = time.monotonic() - self._asked_at
        if age > FRESH_SECONDS or (wanted and wanted not in self._ids and age > UNKNOWN_RETRY_SECONDS):
            asked_before = self._asked_at
            async with self._asking:
                if self._asked_at == asked_before:
                    await self._ask()
        return self._ids

    async def _ask(self) -> None:
        try:
            offered: ModelList = await call(self._bus, ListModels(), timeout=TIMEOUT_SECONDS)
        except (Unavailable, Refused) as error:
            if not self._ids:
                raise Refused("unavailable", "No inference worker answers. Try again in a moment.") from error
            return
        self._ids = tuple(str(model["id"]) for model in offered.models)
        self._asked_at = time.monotonic()

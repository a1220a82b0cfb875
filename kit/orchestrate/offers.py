"""Which models can be asked for, as inference says; remembered for a short time."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from contracts.costs import Prices
from contracts.generation import ListModels, ModelList
from kit.bus.connection import Bus
from kit.bus.rpc import Unavailable, call
from kit.refusal import Refused

FRESH_SECONDS = 30.0
UNKNOWN_RETRY_SECONDS = 1.0
"""A model nobody knows makes us ask again, but not more often than this."""
STALE_SECONDS = 5.0
"""How long old models do when nobody tells new ones."""
TIMEOUT_SECONDS = 3.0


class Offers:
    """The models and their prices. Stale ones are better than none: inference decides in the end."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._cards: dict[str, dict[str, Any]] = {}
        self._asked_at = -FRESH_SECONDS
        self._asking = asyncio.Lock()

    async def ids(self, *wanted: str | None) -> Sequence[str]:
        """The offered ids. Asks again if they are old, or lack one of `wanted`.

        Raises Refused if inference never answered.
        """
        age = time.monotonic() - self._asked_at
        unknown = any(model and model not in self._cards for model in wanted)
        if age > FRESH_SECONDS or (unknown and age > UNKNOWN_RETRY_SECONDS):
            asked_before = self._asked_at
            async with self._asking:
                if self._asked_at == asked_before:
                    await self._ask()
        return tuple(self._cards)

    def card(self, model: str) -> dict[str, Any]:
        """What was last heard of a model; nothing if it is not known."""
        return self._cards.get(model, {})

    async def prices(self, model: str) -> Prices | None:
        """What a model costs, as it was last heard of; None if nobody can tell now."""
        if model not in self._cards:
            try:
                await self.ids(model)
            except Refused:
                return None
        told = self._cards.get(model, {}).get("prices") or {}
        try:
            return Prices.model_validate({name: told[name] for name in Prices.model_fields if name in told})
        except ValidationError:
            return None

    async def _ask(self) -> None:
        try:
            offered: ModelList = await call(self._bus, ListModels(), timeout=TIMEOUT_SECONDS)
        except (Unavailable, Refused) as error:
            if not self._cards:
                raise Refused("unavailable", "No inference worker answers. Try again in a moment.") from error
            self._asked_at = time.monotonic() - FRESH_SECONDS + STALE_SECONDS  # nobody waits behind the next try
            return
        self._cards = {str(card["id"]): card for card in offered.models}
        self._asked_at = time.monotonic()

"""People who use what is not chat, one thing after the other: comparisons, and assistants of many steps."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator

from tests.assistants import graphs
from tests.chaos.client.assistant import AssistantStream
from tests.chaos.client.comparison import ComparisonStream
from tests.chaos.client.load import Load
from tests.chaos.model.counting import Order
from tests.chaos.modes.session import Session

WORDS, RATE = (20, 80), (15.0, 40.0)
LONGEST_SECONDS = 60.0
"""Of any graph here."""


class Others:
    """So many of each kind. Their verdicts are the load's."""

    def __init__(self, now: Session, load: Load, count: int) -> None:
        self._now, self._load, self._count = now, load, count
        self._ended = False

    @contextlib.asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        """They begin one after the other; what they have begun is waited for."""
        people = [
            asyncio.create_task(person(number), name=f"{person.__name__} {number}")
            for number in range(self._count)
            for person in (self._compares, self._runs)
        ]
        try:
            yield
            self._ended = True
            await asyncio.gather(*people)
        finally:
            for task in people:
                task.cancel()
            await asyncio.gather(*people, return_exceptions=True)

    async def _compares(self, person: int) -> None:
        rng = random.Random(f"{self._now.options.seed}/compares/{person}")
        user = self._load.user(f"compares-{person}", rng)
        for number in itertools.count():
            order = Order(f"v{person}n{number}", words=rng.randint(*WORDS), rate=round(rng.uniform(*RATE), 1))
            self._load.verdicts.append(await ComparisonStream(order, user, rng, self._now.history).live())
            if self._ended:
                return

    async def _runs(self, person: int) -> None:
        rng = random.Random(f"{self._now.options.seed}/runs/{person}")
        user = self._load.user(f"runs-{person}", rng)
        for number in itertools.count():
            mark = f"r{person}n{number}"
            definition = graphs.by_chance(rng, rate=RATE)
            stream = AssistantStream(mark, definition, graphs.inputs(mark), user, rng, seconds=LONGEST_SECONDS)
            self._load.verdicts.append(await stream.live(self._now.history))
            if self._ended:
                return

"""Calling a provider and looking at what came."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from contracts.content import Turn
from contracts.generation import Parameters
from services.inference.providers.base import Chunk, Finish, Provider, ProviderCall, ProviderError, Text

WAIT_SECONDS = 30.0


async def until(condition: Callable[[], object]) -> None:
    """Return as soon as the condition holds."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            if condition():
                return
            await asyncio.sleep(0.005)


@dataclass
class Outcome:
    """All that one call gave."""

    chunks: list[Chunk] = field(default_factory=list)
    reads: int = 0
    error: ProviderError | None = None

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks if isinstance(chunk, Text))

    @property
    def finish(self) -> Finish:
        last = self.chunks[-1]
        assert isinstance(last, Finish), self
        return last


def call(text: str = "hi", *, model: str = "m", **fields: Any) -> ProviderCall:
    """One question; `fields` are parameters of the answer, or `turns`, `extra` and `reattach` of the call."""
    own = {name: fields.pop(name) for name in ("extra", "reattach", "turns") if name in fields}
    turns = own.pop("turns", (Turn(role="user", content=text),))
    return ProviderCall(model, turns, Parameters(**fields), **own)


class Way:
    """How `outcome` gets its chunks: yielded, or given away inside the socket's read as to a worker."""

    pushed = False


async def outcome(provider: Provider, asked: ProviderCall | None = None) -> Outcome:
    """Everything until the end or the error."""
    result = Outcome()

    def take(chunks: Sequence[Chunk]) -> bool:
        result.chunks += chunks
        result.reads += 1
        return True

    asked = asked or call()
    try:
        async with aclosing(provider.stream(replace(asked, take=take) if Way.pushed else asked)) as stream:
            async for chunks in stream:
                take(chunks)
    except ProviderError as error:
        result.error = error
    return result

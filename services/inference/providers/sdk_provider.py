"""What providers that are called with their vendor's SDK have in common.

An SDK is imported and built when it is first needed, in a thread: that takes seconds, and the loop has leases to keep.
"""

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

from pydantic import SecretStr

from services.inference.providers.base import Chunk, ProviderCall, ProviderError
from services.inference.providers.connection import DRAIN_SECONDS, FINISH_GRACE_SECONDS
from services.inference.providers.growing_answer import GrowingAnswer
from services.inference.providers.unwanted import Unwanted

logger = logging.getLogger(__name__)


class SdkProvider(ABC):
    """One vendor's service."""

    def __init__(self, base_url: str | None, api_key: SecretStr | None) -> None:
        self._base_url = base_url
        self._key = api_key.get_secret_value() if api_key else ""
        self._unwanted = Unwanted()
        self._building: asyncio.Task[Any] | None = None

    async def stream(self, call: ProviderCall) -> AsyncGenerator[Sequence[Chunk], None]:
        """One answer; see `Provider.stream`."""
        try:
            client = await self._client()
            source = await self._open(client, call)
        except ProviderError:
            raise
        except Exception as error:
            raise self._explain(error) from error
        answer = self._answer(call)
        try:
            async for event in self._events(source, answer):
                if chunks := answer.take(event):
                    yield chunks
                if answer.done:
                    break
            yield answer.finish()
            await self._drain(source)
        finally:
            await self._let_go(source)

    async def warm(self) -> None:
        """Begin to import the SDK ahead of the first call; nobody waits for it."""
        self._begun()

    async def close(self) -> None:
        """Close all connections."""
        building, self._building = self._building, None
        if building is not None:
            with contextlib.suppress(Exception):
                await self._close(await building)

    @property
    def _secrets(self) -> tuple[str, ...]:
        return (self._key,) if self._key else ()

    async def _client(self) -> Any:
        return await asyncio.shield(self._begun())

    def _begun(self) -> asyncio.Task[Any]:
        if self._building is None:
            self._building = asyncio.create_task(self._build(), name=f"import for {type(self).__name__}")
            self._building.add_done_callback(self._built_or_not)
        return self._building

    def _built_or_not(self, building: asyncio.Task[Any]) -> None:
        if building.cancelled() or (error := building.exception()) is not None:
            self._building = None  # the next call tries again
            logger.warning("%s cannot be used: %r", type(self).__name__, None if building.cancelled() else error)

    async def _events(self, source: Any, answer: GrowingAnswer) -> AsyncIterator[Any]:
        """The events of a stream; once the answer is whole, a failure is just its end."""
        events = aiter(source)
        while True:
            try:
                async with asyncio.timeout(None if answer.reason is None else FINISH_GRACE_SECONDS):
                    event = await anext(events)
            except StopAsyncIteration:
                return
            except Exception as error:
                if answer.reason is None:
                    raise self._explain(error) from error
                return
            yield event

    async def _drain(self, source: Any) -> None:
        """Read to the end of the response: the connection can be used again."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(DRAIN_SECONDS):
                async for _ in source:
                    pass

    @abstractmethod
    async def _build(self) -> Any:
        """The SDK's client."""

    @abstractmethod
    async def _open(self, client: Any, call: ProviderCall) -> Any:
        """The stream of one call. Asks again without a parameter that the model does not know."""

    @abstractmethod
    def _answer(self, call: ProviderCall) -> GrowingAnswer:
        """What makes sense of the events."""

    @abstractmethod
    def _explain(self, error: Exception) -> ProviderError:
        """What an exception of the SDK means."""

    async def _let_go(self, source: Any) -> None:
        """Close a stream, whatever state it is in: this is how the server learns that nobody listens."""
        with contextlib.suppress(Exception):
            await source.aclose()

    async def _close(self, client: Any) -> None:
        """Close the client."""
        await client.close()

"""What all providers that we speak HTTP with have in common: an address, a key, connections, and what they refused."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
from pydantic import SecretStr

from services.inference.providers.connection import drain, new_session, warm_up
from services.inference.providers.unwanted import Unwanted, refused_names


class HttpProvider:
    """A connection pool to one server."""

    def __init__(self, base_url: str, api_key: SecretStr | None = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._key = api_key.get_secret_value() if api_key else ""
        self._session: aiohttp.ClientSession | None = None
        self._drains: set[asyncio.Task[None]] = set()
        self._unwanted = Unwanted()

    async def warm(self) -> None:
        """Open one connection ahead of the first call, which then pays for no DNS, TCP or TLS. Never fails."""
        await warm_up(self._pool(), f"{self._base_url}/models", self._headers)

    async def close(self) -> None:
        """Close all connections; streams that still run fail with provider_unavailable."""
        for task in self._drains:
            task.cancel()
        await asyncio.gather(*self._drains, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def _secrets(self) -> tuple[str, ...]:
        return (self._key,) if self._key else ()

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = new_session()
        return self._session

    def _learn(self, model: str, sent: Mapping[str, Any], status: int, said: bytes) -> bool:
        """Whether the same call may succeed without a parameter that was sent; it is left out from now on."""
        return self._unwanted.learn(model, sent, self._refused(status, said))

    def _refused(self, status: int, said: bytes) -> set[str]:
        """The optional parameters that an error says are not supported."""
        return refused_names(status, said)

    def _let_go(self, response: aiohttp.ClientResponse, *, reuse: bool) -> None:
        if reuse and not response.content.at_eof():
            # The end of the body is a packet away. Who waits for it keeps the connection for the next call.
            task = asyncio.get_running_loop().create_task(drain(response))
            self._drains.add(task)
            task.add_done_callback(self._drains.discard)
        else:
            response.close()  # at once: this is how the server learns that nobody listens


def is_event_stream(response: aiohttp.ClientResponse) -> bool:
    """Whether the body is a stream of events; without a word about it, it is."""
    return not response.headers.get("Content-Type") or response.content_type == "text/event-stream"

"""A raw server and a provider that calls it."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from pydantic import SecretStr

from services.inference.providers.openai import OpenAIProvider
from tests.integration.providers.raw_server import Exchange, RawServer, raw_server


@contextlib.asynccontextmanager
async def serving(handle: Callable[[Exchange], Awaitable[None]]) -> AsyncIterator[tuple[RawServer, OpenAIProvider]]:
    """Both, until the end of the block; the provider's key is `sk-secret`."""
    async with raw_server(handle) as server:
        provider = OpenAIProvider(server.base_url, SecretStr("sk-secret"))
        try:
            yield server, provider
        finally:
            await provider.close()

"""Any server that speaks OpenAI's chat completions: OpenAI, Ollama, vLLM, llama.cpp, LM Studio.

An own client instead of the vendor's SDK, because that costs seven times the CPU per token (docs/adr/0005).
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec
from pydantic import SecretStr

from services.inference.providers.base import Chunk, ProviderCall
from services.inference.providers.connection import (
    FINISH_GRACE_SECONDS,
    LOST,
    drain,
    error_from_exception,
    new_session,
    read_body,
    warm_up,
)
from services.inference.providers.errors import (
    error_from_response,
    error_of_page,
    refused_parameter,
)
from services.inference.providers.wire import Answer

logger = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode


class OpenAIProvider:
    """A connection pool to one server. `base_url` ends where `/chat/completions` begins, usually in `/v1`."""

    def __init__(
        self, base_url: str, api_key: SecretStr | None = None, *, max_tokens_field: str = "max_tokens"
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._key = api_key.get_secret_value() if api_key else ""
        self._max_tokens_field = max_tokens_field
        self._session: aiohttp.ClientSession | None = None
        self._drains: set[asyncio.Task[None]] = set()
        self._unwanted: defaultdict[str, set[str]] = defaultdict(set)  # by model: parameters it refused

    async def stream(self, call: ProviderCall) -> AsyncGenerator[Sequence[Chunk], None]:
        """One answer; see `Provider.stream`. What came before a failure has always been yielded."""
        response = await self._open(call)
        answer = Answer(self._secrets)
        read = response.content.readany
        complete = False
        try:
            while not answer.done:
                try:
                    data = await (read() if answer.reason is None else _read_the_rest(read))
                except LOST as error:
                    if answer.reason is None:
                        raise error_from_exception(error) from error
                    break
                if not data:
                    break
                if chunks := answer.feed(data):
                    yield chunks
                if answer.failure is not None:
                    raise answer.failure
            finish = answer.finish()
            complete = True
            yield (finish,)
        finally:
            self._let_go(response, reuse=complete)

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

    async def _open(self, call: ProviderCall) -> aiohttp.ClientResponse:
        """The response whose body is the stream. Asks again without a parameter that the server does not know."""
        while True:
            body = self._body(call)
            try:
                response = await self._pool().post(
                    f"{self._base_url}/chat/completions",
                    data=_encode(body),
                    headers={"Content-Type": "application/json", "Accept": "text/event-stream", **self._headers},
                    allow_redirects=False,
                )
            except LOST as error:
                raise error_from_exception(error) from error
            stated = response.headers.get("Content-Type", "")
            if response.status == HTTPStatus.OK and (not stated or response.content_type == "text/event-stream"):
                return response
            try:
                said = await read_body(response)
            finally:
                response.close()
            if response.status == HTTPStatus.OK:
                raise error_of_page(said, secrets=self._secrets)
            if not self._learn(call.model, body, response.status, said):
                raise error_from_response(response.status, response.headers, said, secrets=self._secrets)

    def _body(self, call: ProviderCall) -> dict[str, Any]:
        body: dict[str, Any] = {**call.extra, "model": call.model, "messages": call.messages, "stream": True}
        body["stream_options"] = {"include_usage": True}
        if call.temperature is not None:
            body["temperature"] = call.temperature
        if call.max_tokens is not None:
            body[self._max_tokens_field] = call.max_tokens
        for name in self._unwanted[call.model]:
            body.pop(name, None)
        return body

    def _learn(self, model: str, sent: dict[str, Any], status: int, said: bytes) -> bool:
        """Whether the same call may succeed without a parameter that was sent; it is left out from now on."""
        if status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
            return False
        text = refused_parameter(said)
        unwanted = {"stream_options"} if "stream_options" in text else set()
        if "temperature" in text and ("unsupported" in text or "not support" in text):  # reasoning models
            unwanted.add("temperature")
        unwanted &= sent.keys()
        if unwanted:
            self._unwanted[model] |= unwanted
            logger.info("model %s does not know %s: left out from now on", model, ", ".join(sorted(unwanted)))
        return bool(unwanted)

    def _let_go(self, response: aiohttp.ClientResponse, *, reuse: bool) -> None:
        if reuse and not response.content.at_eof():
            # The end of the body is a packet away. Who waits for it keeps the connection for the next call.
            task = asyncio.get_running_loop().create_task(drain(response))
            self._drains.add(task)
            task.add_done_callback(self._drains.discard)
        else:
            response.close()  # at once: this is how the server learns that nobody listens


async def _read_the_rest(read: Callable[[], Awaitable[bytes]]) -> bytes:
    """What follows the finish reason (usage, [DONE]); a server that keeps the stream open delays no ending for long."""
    async with asyncio.timeout(FINISH_GRACE_SECONDS):
        return await read()

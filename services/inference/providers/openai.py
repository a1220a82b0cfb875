"""Any server that speaks OpenAI's chat completions: OpenAI, Ollama, vLLM, llama.cpp, LM Studio.

An own client instead of the vendor's SDK, because that costs seven times the CPU per token (docs/adr/0005).
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec
from pydantic import SecretStr

from services.inference.providers import chat_body
from services.inference.providers.base import Chunk, ProviderCall
from services.inference.providers.connection import (
    FINISH_GRACE_SECONDS,
    LOST,
    error_from_exception,
    read_body,
    read_some,
)
from services.inference.providers.errors import error_from_response, error_of_page
from services.inference.providers.http_provider import HttpProvider, is_event_stream
from services.inference.providers.pushed import push
from services.inference.providers.unwanted import refused_names
from services.inference.providers.wire import Answer

_encode = msgspec.json.Encoder().encode


class OpenAIProvider(HttpProvider):
    """A connection pool to one server. `base_url` ends where `/chat/completions` begins, usually in `/v1`."""

    def __init__(
        self, base_url: str, api_key: SecretStr | None = None, *, max_tokens_field: str = "max_tokens"
    ) -> None:
        super().__init__(base_url, api_key)
        self._max_tokens_field = max_tokens_field

    async def stream(self, call: ProviderCall) -> AsyncGenerator[Sequence[Chunk], None]:
        """One answer; see `Provider.stream`. What came before a failure has always been given away."""
        response = await self._open(call)
        answer = Answer(self._secrets)
        read = partial(read_some, response.content)
        complete = False
        try:
            while not answer.done:
                if call.take is not None and answer.reason is None:
                    if await push(response.content, _feeding(answer, call.take)):
                        yield ()
                    if answer.done or answer.reason is not None:
                        continue
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

    async def _open(self, call: ProviderCall) -> aiohttp.ClientResponse:
        """The response whose body is the stream. Asks again without a parameter that the server does not know."""
        while True:
            body = self._body(call)
            try:
                response = await self._pool().post(
                    self._address(call.model),
                    data=_encode(body),
                    headers={"Content-Type": "application/json", "Accept": "text/event-stream", **self._headers},
                    allow_redirects=False,
                )
            except LOST as error:
                raise error_from_exception(error) from error
            if response.status == HTTPStatus.OK and is_event_stream(response):
                return response
            try:
                said = await read_body(response)
            finally:
                response.close()
            if response.status == HTTPStatus.OK:
                raise error_of_page(said, secrets=self._secrets)
            if not self._learn(call.model, body, response.status, said):
                raise error_from_response(response.status, response.headers, said, secrets=self._secrets)

    def _address(self, model: str) -> str:
        return f"{self._base_url}/chat/completions"

    def _body(self, call: ProviderCall) -> dict[str, Any]:
        body: dict[str, Any] = {**call.extra, **chat_body.parameters(call.parameters, self._max_tokens_field)}
        body |= {"model": call.model, "messages": chat_body.messages(call.turns)}
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        self._unwanted.drop(call.model, body)
        return body

    def _refused(self, status: int, said: bytes) -> set[str]:
        return super()._refused(status, said) | refused_names(status, said, ("stream_options",))


def _feeding(answer: Answer, take: Callable[[Sequence[Chunk]], bool]) -> Callable[[bytes], bool]:
    """Gives away the chunks of each read; wants no more when they do, or when the answer is whole or has failed."""

    def feed(data: bytes) -> bool:
        chunks = answer.feed(data)
        more = not chunks or take(chunks)
        return more and answer.reason is None and not answer.done

    return feed


async def _read_the_rest(read: Callable[[], Awaitable[bytes]]) -> bytes:
    """What follows the finish reason (usage, [DONE]); a server that keeps the stream open delays no ending for long."""
    async with asyncio.timeout(FINISH_GRACE_SECONDS):
        return await read()

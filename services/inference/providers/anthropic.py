"""Anthropic's Messages API, by its own SDK."""

import asyncio
import logging
from http import HTTPStatus
from typing import Any

import msgspec

from services.inference.providers import anthropic_body
from services.inference.providers.anthropic_answer import AnthropicAnswer
from services.inference.providers.base import ProviderCall, ProviderError
from services.inference.providers.connection import (
    CONNECT_TIMEOUT_SECONDS,
    IDLE_CONNECTION_SECONDS,
    error_from_exception,
    keepalive_options,
)
from services.inference.providers.errors import error_from_response, error_from_stream
from services.inference.providers.growing_answer import GrowingAnswer
from services.inference.providers.sdk_errors import bare_error
from services.inference.providers.sdk_provider import SdkProvider
from services.inference.providers.turn_groups import answers_tools, blanks_of
from services.inference.providers.unwanted import refused_names

OPTIONAL = ("temperature", "top_p", "top_k", "output_config", "thinking")
NAMED = frozenset({"model", "max_tokens", "messages"})
"""What the SDK has arguments for in every version; the rest goes into the body as it is."""


class AnthropicProvider(SdkProvider):
    """One connection pool. Retries and time limits are the worker's, so the SDK has none."""

    async def _build(self) -> Any:
        return await asyncio.to_thread(self._built)

    def _built(self) -> Any:
        import anthropic
        import httpx2

        logging.getLogger("httpx2").setLevel(logging.WARNING)  # it tells every request
        timeout = httpx2.Timeout(None, connect=CONNECT_TIMEOUT_SECONDS)
        limits = httpx2.Limits(
            max_connections=None, max_keepalive_connections=None, keepalive_expiry=IDLE_CONNECTION_SECONDS
        )
        return anthropic.AsyncAnthropic(
            api_key=self._key,
            base_url=self._base_url,
            max_retries=0,
            timeout=timeout,
            default_headers={"Accept-Encoding": "identity"},  # a compressing proxy holds tokens back
            http_client=httpx2.AsyncClient(
                timeout=timeout,
                trust_env=False,
                transport=httpx2.AsyncHTTPTransport(limits=limits, socket_options=keepalive_options()),
            ),
        )

    async def _open(self, client: Any, call: ProviderCall) -> Any:
        import anthropic

        thoughtless = False
        while True:
            fields = anthropic_body.body(call)
            self._unwanted.drop(call.model, fields)
            if thoughtless:
                fields["thinking"] = {"type": "disabled"}
            named = {name: fields.pop(name) for name in NAMED}
            try:
                return await client.messages.create(**named, stream=True, extra_body=fields)
            except anthropic.APIStatusError as error:
                said = _said(error)
                names = refused_names(error.status_code, said, OPTIONAL)
                if self._unwanted.learn(call.model, fields, names):
                    continue
                if thoughtless or not _misses_thoughts(error.status_code, said, call):
                    raise
                thoughtless = True

    def _answer(self, call: ProviderCall) -> GrowingAnswer:
        return AnthropicAnswer(self._secrets, blanks_of(call.turns))

    def _explain(self, error: Exception) -> ProviderError:
        import anthropic

        if isinstance(error, anthropic.APIStatusError):
            if error.response.is_success:  # an error in the middle of the stream
                body = error.body
                told = body.get("error", body) if isinstance(body, dict) else body
                return error_from_stream(told, secrets=self._secrets)
            return error_from_response(error.status_code, error.response.headers, _said(error), secrets=self._secrets)
        if isinstance(error, anthropic.APIConnectionError):
            return error_from_exception(error.__cause__ or error)
        return bare_error(error)

    async def _let_go(self, source: Any) -> None:
        await source.close()


def _misses_thoughts(status: int, said: bytes, call: ProviderCall) -> bool:
    """Whether a model insists on the thoughts behind the calls it made, which we do not have (providers/claude.py)."""
    return status == HTTPStatus.BAD_REQUEST and b"thinking" in said and answers_tools(call.turns)


def _said(error: Any) -> bytes:
    """The body of a refusal, as the SDK has read it."""
    body = error.body
    return body.encode() if isinstance(body, str) else msgspec.json.encode(body)

"""Google's Gemini API, by Google's SDK on our own connections."""

import asyncio
import re
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec

from services.inference.providers import gemini_body
from services.inference.providers.base import ProviderCall, ProviderError
from services.inference.providers.connection import new_session
from services.inference.providers.errors import error_from_response, error_from_stream
from services.inference.providers.gemini_answer import GeminiAnswer
from services.inference.providers.growing_answer import GrowingAnswer
from services.inference.providers.sdk_errors import bare_error
from services.inference.providers.sdk_provider import SdkProvider
from services.inference.providers.unwanted import refused_names

API_VERSION = "v1beta"
"""The SDK's own default, v1, knows neither thoughts nor schemas."""

OPTIONAL = (
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "thinking_config",
    "response_mime_type",
)
WORDS = {"presence_penalty": "penalty", "frequency_penalty": "penalty", "thinking_config": "thinking"}
"""How Google names some of them when it refuses them."""

_RETRY_DELAY = re.compile(rb'"retryDelay":\s*"(\d+(?:\.\d+)?)s"')
_BAD_KEY = b"API_KEY_INVALID"


class GeminiProvider(SdkProvider):
    """One client. Retries and time limits are the worker's, so the SDK has none."""

    async def _build(self) -> Any:
        self._session = new_session()
        try:
            return await asyncio.to_thread(self._built)
        except BaseException:
            await self._session.close()
            raise

    def _built(self) -> Any:
        from google import genai
        from google.genai import types

        options = types.HttpOptions(
            base_url=self._base_url,
            api_version=API_VERSION,
            retry_options=types.HttpRetryOptions(attempts=1),
            aiohttp_client=self._session,
        )
        return genai.Client(api_key=self._key, vertexai=False, http_options=options)

    async def _open(self, client: Any, call: ProviderCall) -> Any:
        from google.genai import errors

        contents = gemini_body.contents(call.turns)
        while True:
            config = gemini_body.config(call)
            self._unwanted.drop(call.model, config)
            try:
                stream = await client.aio.models.generate_content_stream(
                    model=call.model, contents=contents, config=config
                )
                return _Begun(stream, await anext(stream, None))  # the request is made with the first chunk
            except errors.APIError as error:
                if not self._unwanted.learn(call.model, config, _refused(error)):
                    raise

    def _answer(self, call: ProviderCall) -> GrowingAnswer:
        return GeminiAnswer(self._secrets)

    def _explain(self, error: Exception) -> ProviderError:
        from google.genai import errors

        if not isinstance(error, errors.APIError):
            return bare_error(error)
        body, headers = msgspec.json.encode(error.details), dict(getattr(error.response, "headers", None) or {})
        if getattr(error.response, "status", HTTPStatus.OK) == HTTPStatus.OK:  # an error in the middle of the stream
            told = error.details.get("error") if isinstance(error.details, dict) else None
            return error_from_stream(told, secrets=self._secrets)
        status = HTTPStatus.UNAUTHORIZED if _BAD_KEY in body else error.code
        if delay := _RETRY_DELAY.search(body):
            headers.setdefault("Retry-After", delay.group(1).decode())
        return error_from_response(status, headers, body, secrets=self._secrets)

    async def _close(self, client: Any) -> None:
        await self._session.close()

    _session: aiohttp.ClientSession


class _Begun:
    """A stream whose first chunk has been read already."""

    def __init__(self, stream: Any, first: Any) -> None:
        self._stream, self._first = stream, first

    def __aiter__(self) -> "_Begun":
        return self

    async def __anext__(self) -> Any:
        first, self._first = self._first, None
        return await anext(self._stream) if first is None else first

    async def aclose(self) -> None:
        await self._stream.aclose()


def _refused(error: Any) -> set[str]:
    body = msgspec.json.encode(error.details)
    names = refused_names(error.code, body, OPTIONAL)
    return names | {name for name, word in WORDS.items() if refused_names(error.code, body, (word,))}

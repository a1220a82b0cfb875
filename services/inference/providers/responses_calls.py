"""The requests of OpenAI's Responses API: begin an answer, take up a kept one, look at it, stop it."""

import asyncio
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec

from services.inference.providers import responses_body
from services.inference.providers.base import ProviderCall, ProviderError
from services.inference.providers.connection import LOST, error_from_exception, read_body, read_some
from services.inference.providers.errors import error_from_response
from services.inference.providers.http_provider import HttpProvider
from services.inference.providers.kept_answer import NothingToReattachError
from services.inference.providers.responses_wire import MAX_RESPONSE_BYTES, ResponsesAnswer
from services.inference.providers.unwanted import refused_names

STOP_RETRY_SECONDS = 0.5

NOT_STREAMED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNPROCESSABLE_ENTITY})
"""What servers say to `stream=true` for an answer that they keep, but cannot tell piece by piece (any more)."""

OURS = frozenset({"provider_auth", "provider_rate_limited", "provider_bad_response"})
"""Errors that say nothing about the answer that was asked for."""

_encode = msgspec.json.Encoder().encode

Opened = tuple[aiohttp.ClientResponse, ResponsesAnswer]


class ResponsesCalls(HttpProvider):
    """One server; every call is one request, and none is repeated except as said."""

    async def _create(self, call: ProviderCall) -> Opened:
        """A new answer. Asks again without a parameter that the server does not know."""
        while True:
            body = self._body(call)
            response = await self._request("POST", "", data=_encode(body), headers={"Content-Type": "application/json"})
            if response.status == HTTPStatus.OK:
                return response, ResponsesAnswer(self._secrets, kept="background" in body)
            said = await _read_and_close(response)
            if not self._learn(call.model, body, response.status, said):
                raise error_from_response(response.status, response.headers, said, secrets=self._secrets)

    async def _reopen(self, reference: str) -> Opened:
        """A kept answer, as a stream of its events if the server can."""
        response = await self._get(reference, "?stream=true", NOT_STREAMED)
        if response.status != HTTPStatus.OK:
            response.close()
            response = await self._get(reference)
        return response, ResponsesAnswer(self._secrets, replay=reference)

    async def _look(self, reference: str) -> bytes:
        """The object of a kept answer."""
        response = await self._get(reference)
        try:
            return await read_object(response)
        finally:
            response.close()

    async def _cancel(self, reference: str) -> None:
        """Stop a kept answer, however often it takes. Cancelling twice does no harm (the guide says)."""
        while True:
            try:
                response = await self._request("POST", f"/{quote(reference, safe='')}/cancel")
                said = await _read_and_close(response)
                refused = error_from_response(response.status, response.headers, said)
                if response.status == HTTPStatus.OK or not refused.retryable:  # 400 and 404: it runs no more
                    return
            except ProviderError:
                pass  # the connection failed
            await asyncio.sleep(STOP_RETRY_SECONDS)

    async def _get(
        self, reference: str, query: str = "", other: frozenset[HTTPStatus] = frozenset()
    ) -> aiohttp.ClientResponse:
        """A kept answer: 200, or one of the `other` statuses."""
        response = await self._request("GET", f"/{quote(reference, safe='')}{query}")
        if response.status == HTTPStatus.OK or response.status in other:
            return response
        said = await _read_and_close(response)
        error = error_from_response(response.status, response.headers, said, secrets=self._secrets)
        if error.retryable or error.code in OURS:
            raise error
        raise NothingToReattachError(
            "provider_rejected",
            "The model provider does not keep this answer any more.",
            retryable=False,
            status=response.status,
        )

    async def _request(
        self, method: str, path: str, *, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> aiohttp.ClientResponse:
        try:
            return await self._pool().request(
                method,
                f"{self._base_url}/responses{path}",
                data=data,
                headers={"Accept": "text/event-stream, application/json", **(headers or {}), **self._headers},
                allow_redirects=False,
            )
        except LOST as error:
            raise error_from_exception(error) from error

    def _body(self, call: ProviderCall) -> dict[str, Any]:
        asked = responses_body.parameters(call.parameters)
        for name in ("reasoning", "text"):  # the catalogue may have other fields of these objects
            if name in asked and isinstance(given := call.extra.get(name), dict):
                asked[name] = {**given, **asked[name]}
        body: dict[str, Any] = {**call.extra, **asked, "model": call.model, "input": responses_body.items(call.turns)}
        body |= {"stream": True, "background": True, "store": True}  # no background without store (the guide's limits)
        self._unwanted.drop(call.model, body)
        return body

    def _refused(self, status: int, said: bytes) -> set[str]:
        # A server that keeps no answers (vLLM without VLLM_ENABLE_RESPONSES_API_STORE) still gives them.
        kept = {"background", "store"} if refused_names(status, said, ("background",)) else set()
        return super()._refused(status, said) | refused_names(status, said, ("reasoning", "text")) | kept


async def read(response: aiohttp.ClientResponse) -> bytes:
    """What has arrived of a body; empty at its end. Raises ProviderError."""
    try:
        return await read_some(response.content)
    except LOST as error:
        raise error_from_exception(error) from error


async def read_object(response: aiohttp.ClientResponse) -> bytes:
    """A whole body. Raises ProviderError, also if it is larger than any answer."""
    body = bytearray()
    while data := await read(response):
        body += data
        if len(body) > MAX_RESPONSE_BYTES:
            raise ProviderError(
                "provider_bad_response", "The model server sent more than any answer can be.", retryable=False
            )
    return bytes(body)


async def _read_and_close(response: aiohttp.ClientResponse) -> bytes:
    try:
        return await read_body(response)
    finally:
        response.close()

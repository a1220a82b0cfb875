"""Amazon Bedrock's ConverseStream. botocore signs and takes the event stream apart; the connections are our own.

boto3's client is not used: it blocks a thread for each answer, and a call that has not been answered yet cannot be
taken back (docs/adr/0012).
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from services.inference.providers import bedrock_body
from services.inference.providers.aws_signature import AwsSigner
from services.inference.providers.base import Chunk, ProviderCall, ProviderError
from services.inference.providers.bedrock_answer import BedrockAnswer, Event
from services.inference.providers.connection import (
    FINISH_GRACE_SECONDS,
    LOST,
    error_from_exception,
    read_body,
    read_some,
)
from services.inference.providers.errors import error_from_response, error_of_page
from services.inference.providers.http_provider import HttpProvider
from services.inference.providers.sdk_errors import bare_error
from services.inference.providers.turn_groups import blanks_of
from services.inference.providers.unwanted import refused_names

EVENT_STREAM = "application/vnd.amazon.eventstream"
OPTIONAL = ("temperature", "topP", "stopSequences", "thinking", "output_config", "reasoningConfig")

logger = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode


class BedrockProvider(HttpProvider):
    """A connection pool to one region."""

    def __init__(self, region: str, endpoint: str | None = None) -> None:
        super().__init__("")
        self._signer = AwsSigner(region, endpoint)

    async def warm(self) -> None:
        """Import botocore ahead of the first call. Never fails."""
        try:
            await self._signer.endpoint()
        except Exception as error:
            logger.warning("botocore cannot be used: %s", type(error).__name__)

    async def stream(self, call: ProviderCall) -> AsyncGenerator[Sequence[Chunk], None]:
        """One answer; see `Provider.stream`."""
        response = await self._open(call)
        answer, events = BedrockAnswer(blanks=blanks_of(call.turns)), _Events()
        complete = False
        try:
            while not answer.done and (data := await _read(response, answer)):
                chunks: list[Chunk] = []
                failure: ProviderError | None = None
                try:
                    for event in events.of(data):
                        chunks += answer.take(event)
                except ProviderError as error:
                    failure = error
                except Exception as error:  # botocore's errors, and events of another shape
                    failure = bare_error(error)
                if chunks:
                    yield chunks
                if failure is not None:
                    if answer.reason is None:
                        raise failure
                    break
            ending = answer.finish()
            complete = True
            yield ending
        finally:
            self._let_go(response, reuse=complete)

    async def _open(self, call: ProviderCall) -> aiohttp.ClientResponse:
        """The response whose body is the stream. Asks again without a parameter that the model does not know."""
        try:
            endpoint = await self._signer.endpoint()
        except Exception as error:
            raise bare_error(error) from error
        url = endpoint + bedrock_body.path_of(call.model)
        while True:
            fields = bedrock_body.body(call)
            places = [fields, *(fields.get(name, {}) for name in ("inferenceConfig", bedrock_body.MORE))]
            for place in places:
                self._unwanted.drop(call.model, place)
            body = _encode(fields)
            headers = {"Content-Type": "application/json", "Accept": EVENT_STREAM}
            signed = await self._signer.headers(url, body, headers)
            try:
                response = await self._pool().post(
                    URL(url, encoded=True), data=body, headers=signed, allow_redirects=False
                )
            except LOST as error:
                raise error_from_exception(error) from error
            if response.status == HTTPStatus.OK and response.content_type == EVENT_STREAM:
                return response
            try:
                said = await read_body(response)
            finally:
                response.close()
            if response.status == HTTPStatus.OK:
                raise error_of_page(said)
            names = refused_names(response.status, said, OPTIONAL)
            learnt = [self._unwanted.learn(call.model, place, names) for place in places]
            if not any(learnt):
                raise error_from_response(response.status, response.headers, said)


class _Events:
    """Takes the bytes of an event stream apart."""

    def __init__(self) -> None:
        from botocore.eventstream import EventStreamBuffer

        self._buffer = EventStreamBuffer()

    def of(self, data: bytes) -> Iterator[Event]:
        """The events that `data` completes. Raises whatever botocore does for bytes that are none."""
        self._buffer.add_data(data)
        for message in self._buffer:
            told: Any = message.headers
            kind = told.get(":message-type", "event")
            name = told.get(":event-type") or told.get(":exception-type") or told.get(":error-code") or ""
            payload = {"message": told.get(":error-message", "")} if kind == "error" else {}
            yield kind, name, msgspec.json.decode(message.payload, type=dict) if message.payload else payload


async def _read(response: aiohttp.ClientResponse, answer: BedrockAnswer) -> bytes:
    """What has arrived; nothing at the end of the stream, and once the answer is whole, of the connection."""
    try:
        async with asyncio.timeout(None if answer.reason is None else FINISH_GRACE_SECONDS):
            return await read_some(response.content)
    except LOST as error:
        if answer.reason is None:
            raise error_from_exception(error) from error
        return b""

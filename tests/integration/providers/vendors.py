"""The vendors' adapters in front of a raw server, and the frames that their wires are made of."""

import contextlib
import json
import struct
from binascii import crc32
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from services.inference.providers.base import Provider
from tests.integration.providers.adapters import ADAPTERS, AWS
from tests.integration.providers.raw_server import Exchange, RawServer, raw_server

AWS_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nConnection: close\r\n\r\n"


@contextlib.asynccontextmanager
async def serving(
    name: str, handle: Callable[[Exchange], Awaitable[None]]
) -> AsyncIterator[tuple[RawServer, Provider]]:
    """A server that answers with whatever bytes a test wants, and the adapter of that name."""
    (adapter,) = [adapter for adapter in ADAPTERS if adapter.name == name]
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in AWS.items():
            patch.setenv(variable, value)
        async with raw_server(handle) as server:
            provider = adapter.build(server.base_url.removesuffix("/v1"))
            try:
                yield server, provider
            finally:
                await provider.close()


def claude(kind: str, **fields: Any) -> bytes:
    """An event of Anthropic's."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def claude_says(text: str) -> bytes:
    """The beginning of a message."""
    message = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "c", "usage": {}}
    return claude("message_start", message=message) + claude(
        "content_block_delta", index=0, delta={"type": "text_delta", "text": text}
    )


CLAUDE_END = claude("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 1})


def gemini(text: str, **fields: Any) -> bytes:
    """A chunk of Google's."""
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, **fields}
    return f"data: {json.dumps({'candidates': [candidate]})}\r\n\r\n".encode()


def aws(name: str, kind: str = "event", **fields: Any) -> bytes:
    """A frame of Amazon's (smithy.io/2.0/aws/amazon-eventstream.html)."""
    told = {":message-type": kind, f":{kind}-type": name, ":content-type": "application/json"}
    headers = b"".join(
        struct.pack("!B", len(key)) + key.encode() + b"\x07" + struct.pack("!H", len(value)) + value.encode()
        for key, value in told.items()
    )
    payload = json.dumps(fields).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    whole = prelude + struct.pack("!I", crc32(prelude)) + headers + payload
    return whole + struct.pack("!I", crc32(whole))


def aws_says(text: str) -> bytes:
    """The beginning of an answer."""
    return aws("messageStart", role="assistant") + aws("contentBlockDelta", contentBlockIndex=0, delta={"text": text})


AWS_END = aws("messageStop", stopReason="end_turn") + aws("metadata", usage={"inputTokens": 3, "outputTokens": 1})

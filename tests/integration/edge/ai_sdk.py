"""A client that speaks as the AI SDK does, without it; the real ones are in tests/clients."""

import json
from typing import Any

import httpx

from tests.fixtures.ui_message import Message

ENDLESS = {"text": "for 1 hour", "model": "demo-marathon"}


def user(text: str, message_id: str) -> dict[str, Any]:
    return {"id": message_id, "role": "user", "parts": [{"type": "text", "text": text}]}


def submit(chat: str, *messages: dict[str, Any], model: str = "demo-swift", **body: Any) -> dict[str, Any]:
    """What version 5 and later send."""
    return {"id": chat, "messages": list(messages), "trigger": "submit-message", "model": model, **body}


async def post(http: httpx.AsyncClient, body: dict[str, Any], url: str = "/api/chat", **options: Any) -> Message:
    """Send, and read the stream to its end."""
    message = Message()
    await _take(await http.post(url, json=body, **options), message)
    return message


async def resume(http: httpx.AsyncClient, chat: str, message: Message | None = None) -> Message | None:
    """The stream from its start, or, with what there is of the message, the rest of it. None if there is none."""
    headers = {"last-event-id": message.cursor} if message and message.cursor else {}
    response = await http.get(f"/api/chat/{chat}/stream", headers=headers)
    if response.status_code == 204:
        return None
    message = message or Message()
    await _take(response, message)
    return message


async def _take(response: httpx.Response, message: Message) -> None:
    assert response.status_code == 200, response.text
    assert response.headers["x-vercel-ai-ui-message-stream"] == "v1"
    message.take(await response.aread())


def data_stream(raw: bytes) -> list[tuple[str, Any]]:
    """The parts of a data stream."""
    return [(line[0], json.loads(line[2:])) for line in raw.decode().split("\n") if line]


def data_text(raw: bytes) -> str:
    """The text of one."""
    return "".join(value for code, value in data_stream(raw) if code == "0")


async def messages(http: httpx.AsyncClient, conversation: str) -> list[dict[str, Any]]:
    """What is stored."""
    page = (await http.get(f"/v1/conversations/{conversation}/messages")).json()
    return list(page["items"])


async def part_of(http: httpx.AsyncClient, body: dict[str, Any], enough: int) -> tuple[bytes, str]:
    """Some bytes of a stream that is cut then, and the run's id."""
    raw = b""
    async with http.stream("POST", "/api/chat", json=body) as response:
        assert response.status_code == 200
        async for piece in response.aiter_raw():
            raw += piece
            if len(raw) >= enough:
                break
        return raw[:enough], response.headers["x-studio-run-id"]  # it may have come in one piece

"""Reading OpenAI Chat Completions chunks: the model server itself speaks them, and so does LiteLLM."""

from typing import Any

import msgspec

from bench.client import END, OTHER, Decoder, Frame, Kind

DONE = b"[DONE]"


class Delta(msgspec.Struct):
    content: str | None = None


class Choice(msgspec.Struct):
    delta: Delta = msgspec.field(default_factory=Delta)


class Chunk(msgspec.Struct):
    choices: list[Choice] = msgspec.field(default_factory=list)
    error: dict[str, Any] | str | None = None


def decoder() -> Decoder:
    chunks = msgspec.json.Decoder(Chunk)

    def decode(data: bytes) -> Frame:
        if data == DONE:
            return END
        chunk = chunks.decode(data)
        if chunk.error:
            return Frame(Kind.FAILED, str(chunk.error))
        text = chunk.choices[0].delta.content if chunk.choices else None
        return Frame(Kind.TEXT, text) if text else OTHER

    return decode


def body(prompt: str) -> dict[str, object]:
    return {"model": "bench", "stream": True, "messages": [{"role": "user", "content": prompt}]}

"""A model that can only begin again: its clients get the exact text, or an error, and never a wrong text."""

from typing import Any

import pytest
from openai import APIError

from tests.fixtures.model_server import ModelServer
from tests.fixtures.stack import Stack
from tests.integration.openai_sdk.clients import signed_in, user

WORDS = "one two three four five six seven"
OTHER = "eins zwei drei vier"


async def broken_once(model_server: ModelServer, *texts: str) -> None:
    """The model breaks off after some words, and says the next text."""
    for text in texts:
        await model_server.reply(text, model="gpt-4o")
    await model_server.break_stream("truncate", after_chunks=4)


async def test_who_says_the_same_again_is_told_once(stack: Stack, model_server: ModelServer) -> None:
    async with signed_in(stack) as (client, _):
        await broken_once(model_server, WORDS, WORDS)
        stream = await client.chat.completions.create(model="mock", messages=user("Count"), stream=True)
        deltas = [chunk.choices[0].delta.content or "" async for chunk in stream]
        assert "".join(deltas) == WORDS
        await model_server.reset()
        await broken_once(model_server, WORDS, WORDS)
        async with client.responses.stream(model="mock", input="Count") as events:
            final = await events.get_final_response()
        assert final.output_text == WORDS


async def test_who_says_something_else_is_an_error_to_a_stream_and_none_to_who_waits(
    stack: Stack, model_server: ModelServer
) -> None:
    async with signed_in(stack) as (client, _):
        await broken_once(model_server, WORDS, OTHER)
        stream = await client.chat.completions.create(model="mock", messages=user("Count"), stream=True)
        told: list[str] = []
        with pytest.raises(APIError) as broken:
            await _read(stream, told)
        assert broken.value.code == "answer_restarted"
        assert WORDS.startswith("".join(told))
        await model_server.reset()
        await broken_once(model_server, WORDS, OTHER)
        whole = await client.chat.completions.create(model="mock", messages=user("Count"))
        assert whole.choices[0].message.content == OTHER
        await model_server.reset()
        await broken_once(model_server, WORDS, OTHER)
        events = [event async for event in await client.responses.create(model="mock", input="Count", stream=True)]
        assert events[-1].type == "response.failed"


async def _read(stream: Any, told: list[str]) -> None:
    async for chunk in stream:
        told.append(chunk.choices[0].delta.content or "")

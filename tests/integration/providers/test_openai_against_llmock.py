"""The OpenAI provider against a server that we did not write."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from pydantic import SecretStr

from services.inference.providers.base import ToolCall
from services.inference.providers.openai import OpenAIProvider
from tests.fixtures.model_server import FaultKind, ModelServer, running_model_server
from tests.integration.providers.calls import call, outcome

WORDS = " ".join(str(number) for number in range(40))


@pytest.fixture
async def provider(model_server: ModelServer) -> AsyncIterator[OpenAIProvider]:
    made = OpenAIProvider(model_server.base_url, SecretStr("sk-secret"))
    yield made
    await made.close()


async def test_an_answer_arrives_word_by_word_and_whole(model_server: ModelServer, provider: OpenAIProvider) -> None:
    await model_server.reply(WORDS)
    result = await outcome(provider, call("count", model="gpt", temperature=0.5, max_tokens=99, extra={"seed": 7}))
    assert result.error is None
    assert result.text == WORDS
    assert result.reads > 10, "the server paces its words, so they must not arrive in one piece"
    assert result.finish.reason == "stop"
    assert result.finish.usage is not None
    assert result.finish.usage.output_tokens > 0
    (seen,) = await model_server.requests()
    assert seen["body"] == {
        "model": "gpt",
        "messages": [{"role": "user", "content": "count"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "max_tokens": 99,
        "seed": 7,
    }


@pytest.mark.parametrize("reason", ["length", "content_filter"])
async def test_an_answer_that_was_cut_says_so(model_server: ModelServer, provider: OpenAIProvider, reason: str) -> None:
    await model_server.reply("half an", finish_reason=reason)
    assert (await outcome(provider)).finish.reason == reason


async def test_a_tool_call_arrives_in_one_piece(model_server: ModelServer, provider: OpenAIProvider) -> None:
    arguments = {"city": "Saint-Rémy-de-Provence", "days": [1, 2, 3]}
    await model_server.reply("", tool_calls=[{"name": "weather", "arguments": arguments}])
    result = await outcome(provider)
    (made,) = [chunk for chunk in result.chunks if isinstance(chunk, ToolCall)]
    assert made.name == "weather"
    assert "Saint-R" in made.arguments
    assert made.arguments.endswith("[1, 2, 3]}")
    assert result.finish.reason == "tool_calls"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("disconnect", "provider_unavailable"),
        ("truncate", "provider_incomplete"),
        ("malformed", "provider_bad_response"),
    ],
)
async def test_a_broken_stream_is_an_error_after_the_text_that_came(
    model_server: ModelServer, provider: OpenAIProvider, kind: FaultKind, code: str
) -> None:
    await model_server.reply("one two three four five")
    await model_server.break_stream(kind, after_chunks=3)
    result = await outcome(provider)
    assert result.text == "one two "
    assert result.error is not None
    assert (result.error.code, result.error.retryable) == (code, True)


async def test_a_stall_is_waited_out_because_the_worker_owns_that_limit(
    model_server: ModelServer, provider: OpenAIProvider
) -> None:
    await model_server.reply("one two three")
    await model_server.break_stream("stall", after_chunks=2, stall_seconds=0.3)
    assert (await outcome(provider)).text == "one two three"


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, "provider_rejected", False),
        (401, "provider_auth", False),
        (403, "provider_auth", False),
        (404, "provider_rejected", False),
        (429, "provider_rate_limited", True),
        (500, "provider_unavailable", True),
        (503, "provider_unavailable", True),
        (529, "provider_unavailable", True),
    ],
)
async def test_a_refused_call_says_whether_to_try_again(
    model_server: ModelServer, provider: OpenAIProvider, status: int, code: str, retryable: bool
) -> None:
    await model_server.fail(status, retry_after=2 if status == 429 else None)
    result = await outcome(provider)
    assert result.chunks == []
    assert result.error is not None
    assert (result.error.code, result.error.retryable, result.error.status) == (code, retryable, status)
    assert result.error.retry_after == (2 if status == 429 else result.error.retry_after)
    assert "sk-secret" not in result.error.message
    assert len(await model_server.requests()) == 1, "retrying is the worker's decision"


async def test_a_prompt_that_is_too_long_has_its_own_code(model_server: ModelServer, provider: OpenAIProvider) -> None:
    await model_server.fail(400, code="context_length_exceeded", message="maximum context length is 8192 tokens")
    error = (await outcome(provider)).error
    assert error is not None
    assert error.code == "context_length_exceeded"


async def test_closing_the_stream_reaches_the_server(model_server: ModelServer, provider: OpenAIProvider) -> None:
    await model_server.reply(" ".join(str(number) for number in range(2000)))
    async with aclosing(provider.stream(call())) as stream:
        async for _ in stream:
            break
    (seen,) = await model_server.requests()
    assert not seen["completed"]


async def test_many_answers_at_once_are_not_mixed_up(model_server: ModelServer, provider: OpenAIProvider) -> None:
    models = [f"model-{number}" for number in range(20)]
    for model in models:
        await model_server.reply(f"{model} says {WORDS}", model=model)
    results = await asyncio.gather(*(outcome(provider, call(model=model)) for model in models))
    assert [result.text for result in results] == [f"{model} says {WORDS}" for model in models]


async def test_a_server_that_dies_and_comes_back() -> None:
    async with running_model_server() as server:
        provider = OpenAIProvider(server.base_url)
        await server.reply(WORDS)
        stream = provider.stream(call())
        await anext(stream)
        await server.kill()
        with pytest.raises(Exception, match="lost"):
            async for _ in stream:
                pass
        error = (await outcome(provider)).error
        assert error is not None
        assert (error.code, error.retryable) == ("provider_unavailable", True)
        await server.start()
        await server.reply("back again")
        assert (await outcome(provider)).text == "back again"
        await provider.close()

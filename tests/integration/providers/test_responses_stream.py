"""One call of the Responses API, and everything that can go wrong with it."""

import dataclasses
import json

import pytest
from pydantic import SecretStr

from contracts.content import Turn
from services.inference.providers.base import Attached, Finish, Reasoning, Text, ToolCall, Usage
from services.inference.providers.kept_answer import NothingToReattachError
from services.inference.providers.responses import ResponsesProvider
from tests.fixtures.responses_server import serving_responses
from tests.integration.providers.calls import Outcome, call, outcome
from tests.integration.providers.raw_server import STREAM_HEAD, Exchange, raw_server

NUMBERS = tuple(f"{number} " for number in range(50))


async def answered(*pieces: bytes, reattach: str | None = None) -> Outcome:
    """What a server makes of a call that answers with these bytes."""

    async def handle(exchange: Exchange) -> None:
        await exchange.send(*pieces)
        exchange.writer.close()

    async with raw_server(handle) as server:
        provider = ResponsesProvider(server.base_url, SecretStr("sk-secret"))
        try:
            return await outcome(provider, call(reattach=reattach))
        finally:
            await provider.close()


async def test_what_is_asked_for() -> None:
    async with serving_responses() as (server, provider):
        asked = call(
            "hi", model="gpt", temperature=0.5, max_tokens=99, extra={"reasoning": {"summary": "auto"}, "store": 0}
        )
        asked = dataclasses.replace(asked, turns=(Turn(role="system", content="Be brief."), *asked.turns))
        await outcome(provider, asked)
        (seen,) = server.asked
        assert (seen.method, seen.path) == ("POST", "/responses")
        assert seen.headers["Authorization"] == "Bearer sk-secret"
        assert seen.body == {
            "model": "gpt",
            "input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
            "stream": True,
            "background": True,
            "store": True,
            "temperature": 0.5,
            "max_output_tokens": 99,
            "reasoning": {"summary": "auto"},
        }


async def test_an_answer_with_everything() -> None:
    async with serving_responses() as (server, provider):
        server.says(
            "It ",
            "rains.",
            thoughts=[["**Rain", "**"], ["**Sure**"]],
            calls=[("weather", '{"city": "Köln"}')],
            pace=0.005,
        )
        result = await outcome(provider)
        assert result.error is None
        assert result.reads > 2, "the server paces its words, so they must not arrive in one piece"
        assert result.chunks == [
            Attached(server.newest.id),
            Reasoning("**Rain"),
            Reasoning("**"),
            Reasoning("\n\n**Sure**"),
            Text("It "),
            Text("rains."),
            ToolCall("call_2", "weather", '{"city": "Köln"}'),
            Finish("tool_calls", Usage(11, 7, 3, 4)),
        ]


async def test_the_reference_comes_before_the_first_word() -> None:
    async with serving_responses() as (server, provider):
        server.says("one", hold_after=0)
        stream = provider.stream(call())
        assert list(await anext(stream)) == [Attached(server.newest.id)]
        server.newest.release()
        await stream.aclose()


async def test_characters_split_between_reads() -> None:
    async with serving_responses() as (server, provider):
        server.one_byte_at_a_time = True
        server.says("🦉 Größe ", "漢字")
        result = await outcome(provider)
        assert result.error is None
        assert result.text == "🦉 Größe 漢字"


@pytest.mark.parametrize("reason", ["max_output_tokens", "content_filter"])
async def test_an_answer_that_was_cut_says_so(reason: str) -> None:
    async with serving_responses() as (server, provider):
        server.says(status="incomplete", reason=reason)
        assert (await outcome(provider)).finish.reason == {"max_output_tokens": "length"}.get(reason, reason)


async def test_a_response_that_fails_does_so_after_its_text() -> None:
    async with serving_responses() as (server, provider):
        server.says("one ", "two", status="failed", error={"code": "server_error", "message": "oops sk-secret"})
        result = await outcome(provider)
        assert result.text == "one two"
        assert result.error is not None
        assert (result.error.code, result.error.retryable) == ("provider_unavailable", True)
        assert not isinstance(result.error, NothingToReattachError), "nothing was to be taken up"
        assert "sk-secret" not in result.error.message


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"cut_after": 7}, "provider_unavailable"),
        ({"end_after": 7}, "provider_incomplete"),
        ({"insert": (7, b"data: {garbage\n\n")}, "provider_bad_response"),
        ({"insert": (7, b"data: \xff\xfe\n\n")}, "provider_bad_response"),
        (
            {"insert": (7, b'data: {"type": "error", "message": "sk-secret at http://10.0.0.1/"}\n\n')},
            "provider_unavailable",
        ),
    ],
)
async def test_a_broken_stream_is_an_error_after_the_text_that_came(fault: dict[str, object], code: str) -> None:
    async with serving_responses() as (server, provider):
        server.says(*NUMBERS, pace=0.001, **fault)
        result = await outcome(provider)
        assert result.text == "0 1 "
        assert result.error is not None
        assert (result.error.code, result.error.retryable) == (code, True)
        assert "sk-secret" not in result.error.message
        assert "10.0.0.1" not in result.error.message


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, "provider_rejected", False),
        (401, "provider_auth", False),
        (404, "provider_rejected", False),
        (429, "provider_rate_limited", True),
        (500, "provider_unavailable", True),
        (503, "provider_unavailable", True),
    ],
)
async def test_a_refused_call_says_whether_to_try_again(status: int, code: str, retryable: bool) -> None:
    async with serving_responses() as (server, provider):
        server.failures = [status]
        result = await outcome(provider)
        assert result.chunks == []
        assert result.error is not None
        assert (result.error.code, result.error.retryable, result.error.status) == (code, retryable, status)
        assert not isinstance(result.error, NothingToReattachError)
        assert len(server.asked) == 1, "retrying is the worker's decision"


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"\x00\x01garbage\r\n\r\n", "provider_bad_response"),
        (b"", "provider_unavailable"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n", "provider_bad_response"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<h1>", "provider_bad_response"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{", "provider_unavailable"),
        (STREAM_HEAD, "provider_incomplete"),
        (STREAM_HEAD + b"data: [DONE]\n\n", "provider_incomplete"),
        (STREAM_HEAD + bytes(range(256)) * 100, "provider_incomplete"),
        (STREAM_HEAD + b"data: {garbage\n\n", "provider_bad_response"),
    ],
)
@pytest.mark.parametrize("reattach", [None, "resp_1"])
async def test_answers_that_are_none(head: bytes, code: str, reattach: str | None) -> None:
    result = await answered(head, reattach=reattach)
    assert result.chunks == []
    assert result.error is not None
    assert result.error.code == code
    assert not isinstance(result.error, NothingToReattachError), "the answer may still be there"


async def test_a_body_larger_than_any_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.inference.providers.responses_calls.MAX_RESPONSE_BYTES", 1000)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    error = (await answered(head, b"[" * 2000)).error
    assert error is not None
    assert error.code == "provider_bad_response"
    assert "more than any answer" in error.message


async def test_a_last_event_far_longer_than_any_token_is_read() -> None:
    text = "x" * 6_000_000
    message = {"type": "message", "content": [{"type": "output_text", "text": text}]}
    end = {"type": "response.completed", "response": {"id": "r", "status": "completed", "output": [message]}}
    result = await answered(STREAM_HEAD, f"data: {json.dumps(end)}\n\n".encode())
    assert result.text == text
    assert result.finish.reason == "stop"


async def test_an_answer_that_comes_as_one_object() -> None:
    message = {"type": "message", "content": [{"type": "output_text", "text": "all"}]}
    body = json.dumps({"id": "r", "status": "completed", "background": False, "output": [message]}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    result = await answered(head + body)
    assert result.chunks == [Text("all"), Finish("stop", None)]


async def test_an_object_that_nobody_goes_on_with_is_incomplete() -> None:
    body = json.dumps({"id": "r", "status": "in_progress", "background": False}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    error = (await answered(head + body)).error
    assert error is not None
    assert (error.code, error.retryable) == ("provider_incomplete", True)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("400 Bad Request", "This engine does not support `store=True` and therefore no background mode."),  # vLLM
        ("422 Unprocessable", "Unsupported parameter: 'background'"),
    ],
)
async def test_a_server_that_keeps_nothing_is_asked_without_from_then_on(status: str, words: str) -> None:
    created = {"type": "response.created", "response": {"id": "resp_1"}}
    stream = b"".join(f"data: {json.dumps(e)}\n\n".encode() for e in (created, {"type": "response.completed"}))

    async def handle(exchange: Exchange) -> None:
        if "background" in exchange.body or "store" in exchange.body:
            await exchange.answer(status, json.dumps({"error": {"message": words}}).encode())
        else:
            await exchange.send(STREAM_HEAD, stream)
            exchange.writer.close()

    async with raw_server(handle) as server:
        provider = ResponsesProvider(server.base_url)
        for _ in range(2):
            assert (await outcome(provider)).chunks == [Finish("stop", None)], "nobody can take it up again"
        await provider.close()
        assert ["background" in exchange.body for exchange in server.exchanges] == [True, False, False]
        assert "authorization" not in server.exchanges[0].headers


async def test_a_model_that_has_no_temperature_is_asked_without_it() -> None:
    async def handle(exchange: Exchange) -> None:
        if "temperature" in exchange.body:
            said = {"error": {"message": "Unsupported parameter", "param": "temperature"}}
            await exchange.answer("400 Bad Request", json.dumps(said).encode())
        else:
            await exchange.send(STREAM_HEAD, b'data: {"type": "response.completed"}\n\n')
            exchange.writer.close()

    async with raw_server(handle) as server:
        provider = ResponsesProvider(server.base_url)
        assert (await outcome(provider, call(temperature=0.2))).error is None
        await provider.close()
        assert [exchange.body.get("background") for exchange in server.exchanges] == [True, True]

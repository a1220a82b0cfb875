"""What Anthropic, Google and Amazon do that no mock does: refusals to learn from, errors in mid-stream, bad frames."""

import asyncio
import json
from typing import Any

import pytest

from contracts.content import Tool, ToolResult, ToolUse, Turn
from services.inference.providers.base import Finish, Text
from tests.integration.providers.calls import call, outcome
from tests.integration.providers.mock import KEY
from tests.integration.providers.raw_server import STREAM_HEAD, Exchange
from tests.integration.providers.vendors import (
    AWS_END,
    AWS_HEAD,
    CLAUDE_END,
    aws,
    aws_says,
    claude,
    claude_says,
    gemini,
    serving,
)

WHOLE = {
    "anthropic": STREAM_HEAD + claude_says("ok") + CLAUDE_END,
    "gemini": STREAM_HEAD + gemini("ok", finishReason="STOP"),
    "bedrock": AWS_HEAD + aws_says("ok") + AWS_END,
}
OVERLOADED = {"type": "overloaded_error", "message": f"Overloaded, {KEY}, see http://10.0.0.1/x"}
EXHAUSTED = {"code": 503, "status": "UNAVAILABLE", "message": f"Overloaded, {KEY}, see http://10.0.0.1/x"}
BROKEN_OFF = {
    "anthropic": STREAM_HEAD + claude_says("One ") + claude("error", error=OVERLOADED),
    "gemini": STREAM_HEAD + gemini("One ") + f"data: {json.dumps({'error': EXHAUSTED})}\r\n\r\n".encode(),
    "bedrock": AWS_HEAD
    + aws_says("One ")
    + aws("modelStreamErrorException", "exception", message=OVERLOADED["message"]),
}
GARBAGE = {
    "anthropic": STREAM_HEAD + claude_says("One ") + b"event: message_delta\ndata: {nonsense\n\n",
    "gemini": STREAM_HEAD + gemini("One ") + b"data: {nonsense\r\n\r\n",
    "bedrock": AWS_HEAD + aws_says("One ") + aws("messageStop", stopReason="end_turn")[:-4] + b"\x00\x00\x00\x00",
}
vendors = pytest.mark.parametrize("name", list(WHOLE))


@vendors
async def test_the_frames_of_these_tests_are_understood(name: str) -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.send(WHOLE[name])
        exchange.writer.close()

    async with serving(name, handle) as (_, provider):
        result = await outcome(provider)
    assert result.error is None
    assert result.text == "ok"
    assert result.finish.reason == "stop"


@vendors
@pytest.mark.parametrize("pieces", [BROKEN_OFF, GARBAGE], ids=["error", "garbage"])
async def test_an_error_in_the_middle_comes_after_the_words_before_it(name: str, pieces: dict[str, bytes]) -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.send(pieces[name])
        exchange.writer.close()

    async with serving(name, handle) as (_, provider):
        result = await outcome(provider)
    assert result.text == "One "
    assert result.error is not None
    assert result.error.retryable
    assert result.error.code == ("provider_unavailable" if pieces is BROKEN_OFF else "provider_bad_response")
    assert KEY not in result.error.message
    assert "10.0.0.1" not in result.error.message


@vendors
async def test_a_page_is_no_answer(name: str) -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.answer("200 OK", b"<html><title>Sign in</title></html>", "Content-Type: text/html")

    async with serving(name, handle) as (_, provider):
        result = await outcome(provider)
    assert result.chunks == []
    assert result.error is not None
    assert result.error.code == "provider_bad_response"


@vendors
async def test_once_the_answer_is_whole_nothing_fails_it(name: str) -> None:
    """Its usage may be missing then; the connection is lost right after the end, without a word."""

    async def handle(exchange: Exchange) -> None:
        whole = (
            WHOLE[name] if name != "bedrock" else AWS_HEAD + aws_says("ok") + aws("messageStop", stopReason="end_turn")
        )
        await exchange.send(whole.replace(b"Connection: close", b"Content-Length: 1000000"))
        exchange.writer.transport.abort()

    async with serving(name, handle) as (_, provider):
        result = await outcome(provider)
    assert result.error is None
    assert [type(chunk) for chunk in result.chunks] == [Text, Finish]


@vendors
async def test_words_arrive_however_the_bytes_are_cut(name: str) -> None:
    async def handle(exchange: Exchange) -> None:
        for byte in WHOLE[name]:
            await exchange.send(bytes([byte]))
        exchange.writer.close()

    async with serving(name, handle) as (_, provider):
        result = await outcome(provider)
    assert result.error is None
    assert result.text == "ok"


@pytest.mark.parametrize(
    ("name", "said", "sent", "left"),
    [
        (
            "anthropic",
            {"error": {"type": "invalid_request_error", "message": "`temperature` is deprecated for this model."}},
            {"temperature": 0.5, "top_p": 0.9},
            "temperature",
        ),
        (
            "gemini",
            {
                "error": {
                    "code": 400,
                    "message": "Penalty is not supported for this model",
                    "status": "INVALID_ARGUMENT",
                }
            },
            {"presence_penalty": 0.5, "top_p": 0.9},
            "presencePenalty",
        ),
        (
            "bedrock",
            {"message": "This model does not support the topP parameter"},
            {"temperature": 0.5, "top_p": 0.9},
            "topP",
        ),
    ],
)
async def test_what_a_model_does_not_know_is_left_out_from_then_on(
    name: str, said: dict[str, Any], sent: dict[str, Any], left: str
) -> None:
    async def handle(exchange: Exchange) -> None:
        if left in json.dumps(exchange.body):
            await exchange.answer("400 Bad Request", json.dumps(said).encode(), "Content-Type: application/json")
        else:
            await exchange.send(WHOLE[name])
            exchange.writer.close()

    async with serving(name, handle) as (server, provider):
        for _ in range(2):
            assert (await outcome(provider, call(**sent))).error is None
        assert [left in json.dumps(exchange.body) for exchange in server.exchanges] == [True, False, False]
        other = [name for name in ("top_p", "topP", "temperature") if name != left]
        assert any(word in json.dumps(server.exchanges[-1].body) for word in other)


async def test_claude_that_misses_its_thoughts_is_asked_not_to_think() -> None:
    said = {"error": {"type": "invalid_request_error", "message": "Expected `thinking`, but found `tool_use`."}}

    async def handle(exchange: Exchange) -> None:
        if exchange.body.get("thinking", {}).get("type") == "adaptive":
            await exchange.answer("400 Bad Request", json.dumps(said).encode(), "Content-Type: application/json")
        else:
            await exchange.send(WHOLE["anthropic"])
            exchange.writer.close()

    used = ToolUse(call_id="1", name="news", arguments="{}")
    turns = (
        Turn(role="user", content="hi"),
        Turn(role="assistant", tool_calls=(used,)),
        Turn(role="tool", results=(ToolResult(call_id="1", output="none"),)),
    )
    extra = {"thinking": {"type": "adaptive"}}
    async with serving("anthropic", handle) as (server, provider):
        asked = call(turns=turns, tools=(Tool(name="news"),), extra=extra)
        assert (await outcome(provider, asked)).text == "ok"
        assert [exchange.body["thinking"]["type"] for exchange in server.exchanges] == ["adaptive", "disabled"]
        error = (await outcome(provider, call(extra=extra))).error
        assert error is not None
        assert error.code == "provider_rejected"
        assert len(server.exchanges) == 3


@pytest.mark.parametrize(
    ("status", "error", "code", "retry_after"),
    [
        ("400 Bad Request", {"details": [{"reason": "API_KEY_INVALID"}]}, "provider_auth", None),
        ("429 Too Many Requests", {"details": [{"retryDelay": "31.5s"}]}, "provider_rate_limited", 31.5),
        ("400 Bad Request", {"message": "The input token count exceeds the maximum number of tokens allowed"},
         "context_length_exceeded", None),
        ("404 Not Found", {"message": "models/x is not found"}, "provider_rejected", None),
    ],
)  # fmt: skip
async def test_google_s_own_ways_to_refuse(
    status: str, error: dict[str, Any], code: str, retry_after: float | None
) -> None:
    async def handle(exchange: Exchange) -> None:
        body = json.dumps({"error": {"code": int(status[:3]), "message": "no", "status": "X", **error}}).encode()
        await exchange.answer(status, body, "Content-Type: application/json")

    async with serving("gemini", handle) as (server, provider):
        refused = (await outcome(provider)).error
        assert refused is not None
        assert (refused.code, refused.retry_after) == (code, retry_after)
        assert len(server.exchanges) == 1


@vendors
async def test_many_answers_at_once_keep_apart(name: str) -> None:
    """Each is answered with the number it asked for, half of it late."""

    async def handle(exchange: Exchange) -> None:
        number = json.dumps(exchange.body).partition("number ")[2].partition("!")[0]
        await exchange.send(WHOLE[name].partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        await asyncio.sleep(0.05)
        says = {"anthropic": claude_says, "gemini": gemini, "bedrock": aws_says}[name]
        end = {"anthropic": CLAUDE_END, "gemini": gemini("", finishReason="STOP"), "bedrock": AWS_END}[name]
        await exchange.send(says(number), end)
        exchange.writer.close()

    async with serving(name, handle) as (_, provider):
        results = await asyncio.gather(*(outcome(provider, call(f"number {n}!")) for n in range(40)))
    assert [result.text for result in results] == [str(n) for n in range(40)]

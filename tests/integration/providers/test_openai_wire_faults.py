"""What only raw bytes can do to the OpenAI provider."""

import json

import pytest

from services.inference.providers.base import Finish, Text
from services.inference.providers.openai import OpenAIProvider
from services.inference.providers.sse import MAX_LINE_BYTES
from tests.integration.providers.calls import Outcome, call, outcome
from tests.integration.providers.raw_server import END, STREAM_HEAD, Exchange, event
from tests.integration.providers.serving import serving

pytestmark = pytest.mark.usefixtures("each_way")


async def answered(*pieces: bytes) -> Outcome:
    async def handle(exchange: Exchange) -> None:
        await exchange.send(*pieces)
        exchange.writer.close()

    async with serving(handle) as (_, provider):
        return await outcome(provider)


async def test_characters_and_line_ends_split_between_reads() -> None:
    owls = event(content="🦉 Größe 漢字").replace(b"\n", b"\r\n") + b": still here\r\n\r\n" + END
    result = await answered(STREAM_HEAD, *(owls[i : i + 1] for i in range(len(owls))))
    assert result.error is None
    assert result.text == "🦉 Größe 漢字"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"data: \xff\xfe\x00\x01\n\n", "provider_bad_response"),
        (b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n', "provider_bad_response"),
        (bytes(range(256)) * 100, "provider_incomplete"),
        (b"", "provider_incomplete"),
        (b"data: [DONE]\n\n", "provider_incomplete"),
        (b'data: {"choices": [{"delta": {"content": "half', "provider_incomplete"),
        (b'data: {"error": {"message": "key sk-secret at http://10.0.0.1/x is busy"}}\n\n', "provider_unavailable"),
        (b"data: " + b"x" * (MAX_LINE_BYTES + 10), "provider_bad_response"),
    ],
)
async def test_garbage_after_good_text(body: bytes, code: str) -> None:
    result = await answered(STREAM_HEAD, event(content="kept"), body)
    assert result.text == "kept"
    assert result.error is not None
    assert (result.error.code, result.error.retryable) == (code, True)
    assert "sk-secret" not in result.error.message
    assert "10.0.0.1" not in result.error.message


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"\x00\x01garbage\r\n\r\n", "provider_bad_response"),
        (b"", "provider_unavailable"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 26\r\n\r\n<h1>Please log in</h1>    ",
            "provider_bad_response",
        ),
        (
            b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"choices": 1}',
            "provider_bad_response",
        ),
        (b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n", "provider_bad_response"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 1000\r\n\r\nonly this much", "provider_unavailable"),
        (b"HTTP/1.1 503 Busy\r\nContent-Type: text/html\r\n\r\n" + b"<p>busy</p>\xff" * 50_000, "provider_unavailable"),
        (b"HTTP/1.1 400 No\r\nContent-Length: 100000\r\n\r\n" + b"[" * 100_000, "provider_rejected"),
    ],
)
async def test_answers_that_are_no_stream(head: bytes, code: str) -> None:
    result = await answered(head)
    assert result.chunks == []
    assert result.error is not None
    assert result.error.code == code
    assert len(result.error.message) < 500


async def test_a_stream_without_content_type_is_taken_for_what_it_is() -> None:
    result = await answered(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + event(content="x") + END)
    assert result.text == "x"


async def test_a_cut_chunked_body_is_a_lost_connection() -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.chunked(event(content="one "), event(content="two "))
        exchange.writer.close()

    async with serving(handle) as (_, provider):
        result = await outcome(provider)
    assert result.text == "one two "
    assert result.error is not None
    assert (result.error.code, result.error.retryable) == ("provider_unavailable", True)


async def test_what_follows_the_finish_reason_cannot_break_or_delay_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.inference.providers.openai.FINISH_GRACE_SECONDS", 0.05)
    for tail in (b"data: {garbage\n\n", b'data: {"error": {"message": "late"}}\n\n', b""):

        async def handle(exchange: Exchange, tail: bytes = tail) -> None:
            await exchange.chunked(event(content="all"), event(finish="stop"), *([tail] if tail else []))
            await exchange.gone()  # never ends by itself

        async with serving(handle) as (_, provider):
            result = await outcome(provider)
        assert result.error is None
        assert result.chunks == [Text("all"), Finish("stop", None)]


@pytest.mark.parametrize("status", ["400 Bad Request", "422 Unprocessable"])
async def test_a_server_without_stream_options_is_asked_without_them_from_then_on(status: str) -> None:
    async def handle(exchange: Exchange) -> None:
        if "stream_options" in exchange.body:
            said = {"error": {"message": "Unrecognized request argument supplied: stream_options"}}
            await exchange.answer(status, json.dumps(said).encode())
        else:
            await exchange.send(STREAM_HEAD, event(content="ok"), END)
            exchange.writer.close()

    async with serving(handle) as (server, provider):
        for _ in range(2):
            assert (await outcome(provider)).text == "ok"
        assert ["stream_options" in exchange.body for exchange in server.exchanges] == [True, False, False]


async def test_a_model_that_has_no_temperature_is_asked_without_it() -> None:
    async def handle(exchange: Exchange) -> None:
        if "temperature" in exchange.body:
            said = {"error": {"message": "Unsupported value", "param": "temperature", "code": "unsupported_value"}}
            await exchange.answer("400 Bad Request", json.dumps(said).encode())
        else:
            await exchange.send(STREAM_HEAD, event(content="ok"), END)
            exchange.writer.close()

    async with serving(handle) as (server, provider):
        assert (await outcome(provider, call(temperature=0.2))).text == "ok"
        assert len(server.exchanges) == 2


async def test_a_server_that_always_complains_is_not_asked_for_ever() -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.answer(
            "400 Bad Request", b'{"error": {"message": "stream_options and temperature not supported"}}'
        )

    async with serving(handle) as (server, provider):
        error = (await outcome(provider, call(temperature=1.0))).error
        assert error is not None
        assert error.code == "provider_rejected"
        assert len(server.exchanges) == 2


async def test_the_key_travels_in_the_header_only_and_a_missing_one_is_not_sent() -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.answer("401 Unauthorized", b'{"error": {"message": "Incorrect API key: sk-secret"}}')

    async with serving(handle) as (server, provider):
        error = (await outcome(provider)).error
        assert error is not None
        assert "sk-secret" not in error.message
        assert server.exchanges[0].headers["authorization"] == "bearer sk-secret"
        bare = OpenAIProvider(server.base_url)
        await outcome(bare)
        await bare.close()
        assert "authorization" not in server.exchanges[1].headers

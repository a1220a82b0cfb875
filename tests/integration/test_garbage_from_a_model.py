"""A model server that does not speak the protocol: the run fails in words for the user, and nothing of it leaks."""

import pytest

from tests.fixtures.babbler import CHUNK, DONE, SSE, Babbler
from tests.fixtures.events import send
from tests.fixtures.stack import Stack


@pytest.mark.parametrize(
    ("says", "kept"),
    [
        (b"", ""),
        (b"\x00\xff\x16\x03 garbage\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", ""),
        (b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>sk-secret</html>", ""),
        (b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", ""),
        (SSE, ""),
        (SSE + b"data: {not json}\n\n", ""),
        (SSE + b"data: []\n\n", ""),
        (SSE + b'data: {"choices": 7}\n\n', ""),
        (SSE + b'data: {"error": {"message": "no", "code": 7}}\n\n', ""),
        (SSE + CHUNK % b"kept" + b"data: \xff\xfe\n\n", "kept"),
        (SSE + CHUNK % b"kept", "kept"),
        (SSE + CHUNK % b"kept" + b"data: [DONE]\n\n", "kept"),
        (SSE + CHUNK % b"kept" + b"data: " + b"x" * 20_000_000, "kept"),
    ],
    ids=lambda value: ascii(value[:60]) if isinstance(value, bytes) else None,
)
async def test_it_ends_the_run_in_failure(babbling: Stack, babbler: Babbler, says: bytes, kept: str) -> None:
    babbler.says = says
    async with babbling.client() as http:
        told = await send(http, "Hello", model="mock")
    assert told.types[-2:] == ["generation.failed", "run.failed"]
    error = told.one("generation.failed")["error"]
    assert error["code"] in {
        "provider_bad_response",
        "provider_incomplete",
        "provider_unavailable",
        "provider_rejected",
    }
    assert "127.0.0.1" not in error["message"]
    assert "sk-secret" not in error["message"]
    assert told.text() == (told.one("generation.failed").get("text") or "") == kept


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"a\\u0000b", "ab"),  # Postgres cannot store it: it is dropped before anybody sees it
        (b"\\ud83c\\udf0a", "🌊"),
        (b"\\u2028\\u2029\\u0085", "\u2028\u2029\u0085"),
        (b"\\r\\n\\r\\ndata: x\\n\\nid: 1\\n\\n", "\r\n\r\ndata: x\n\nid: 1\n\n"),
    ],
    ids=ascii,
)
async def test_odd_characters_arrive_as_they_are(babbling: Stack, babbler: Babbler, content: bytes, shown: str) -> None:
    babbler.says = SSE + CHUNK % content + DONE
    async with babbling.client() as http:
        told = await send(http, "Hello", model="mock")
        run = (await http.get(f"/v1/runs/{told.run_id}")).json()
    assert told.text() == shown
    assert told.one("generation.completed")["text"] == shown
    assert run["text"] == shown


async def test_half_a_surrogate_pair_does_not_hang_the_run(babbling: Stack, babbler: Babbler) -> None:
    babbler.says = SSE + CHUNK % b"kept" + CHUNK % b"\\ud83c" + DONE
    async with babbling.client() as http:
        told = await send(http, "Hello", model="mock")
    assert told.types[-1] in {"run.completed", "run.failed"}
    assert told.text().startswith("kept")

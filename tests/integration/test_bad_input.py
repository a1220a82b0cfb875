"""Whatever body a client sends, it gets a problem document with a stable code, and nothing is stored."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.fixtures.events import send
from tests.fixtures.problems import assert_problem
from tests.fixtures.raw_http import ask, request
from tests.fixtures.stack import MAX_BODY_BYTES, Stack

NEW = "/v1/conversations/new/messages"
MAX_BODY = MAX_BODY_BYTES
MAX_MESSAGE = 100_000


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A user for whom nothing is stored, before and after."""
    async with stack.client() as client:
        yield client
        for kind in ("conversations", "runs"):
            assert (await client.get(f"/v1/{kind}")).json()["items"] == [], f"something was stored in {kind}"


def raw_post(stack: Stack, body: bytes, *, path: str = NEW, chunked: bool = False, **headers: str) -> bytes:
    """A POST with exactly this body."""
    sent = {"host": stack.url.removeprefix("http://"), "authorization": f"Bearer {stack.token('nobody')}"}
    sent |= {"content-type": "application/json"}
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    if chunked:
        pieces = [body[start : start + 60_000] for start in range(0, len(body), 60_000)]
        framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        return request("POST", path, {**sent, "transfer-encoding": "chunked", **extra}, framed)
    return request("POST", path, {**sent, "content-length": str(len(body)), **extra}, body)


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"content": ""}, 422, "empty_message"),
        ({"content": " \n\t\u2003\u3000"}, 422, "empty_message"),
        ({"content": "x" * (MAX_MESSAGE + 1)}, 413, "message_too_long"),
        ({"content": "🌊" * (MAX_MESSAGE + 1)}, 413, "message_too_long"),
        ({"content": "a\x00b"}, 422, "invalid_text"),
        ({"content": "Hello", "system": "a\x00b"}, 422, "invalid_text"),
        ({"content": "Hello", "system": "x" * 100_001}, 422, "system_too_long"),
        ({"content": "Hello", "model": "no-such-model"}, 422, "unknown_model"),
        ({"content": "Hello", "model": "demo\x00swift"}, 422, "unknown_model"),
        ({"content": "Hello", "model": "m" * 500_000}, 422, "unknown_model"),
        ({}, 422, "empty_message"),
        ([], 422, "invalid_request"),
        ("text", 422, "invalid_request"),
        (None, 422, "invalid_request"),
        ({"content": None}, 422, "invalid_request"),
        ({"content": 7}, 422, "invalid_request"),
        ({"content": ["Hello"]}, 422, "invalid_request"),
        ({"content": "Hello", "model": 7}, 422, "invalid_request"),
        ({"content": "Hello", "surprise": 1}, 422, "invalid_request"),
        ({"content": "Hello", "parameters": {"temperature": 3}}, 422, "invalid_request"),
        ({"content": "Hello", "parameters": {"temperature": float("nan")}}, 422, "invalid_request"),
        ({"content": "Hello", "parameters": {"max_tokens": 0}}, 422, "invalid_request"),
        ({"content": "Hello", "parameters": {"max_tokens": 1.5}}, 422, "invalid_request"),
        ({"content": "Hello", "parameters": {"max_tokens": 10**30}}, 422, "invalid_request"),
        ({"content": "Hello", "parameters": []}, 422, "invalid_request"),
        ({"content": "Hello", "parameters": {"top_k": 1}}, 422, "invalid_request"),
        ({"content": "Hello", "timeouts": {"total_seconds": -1}}, 422, "invalid_request"),
        ({"content": "Hello", "timeouts": {"total_seconds": float("inf")}}, 422, "invalid_request"),
        ({"content": "Hello", "timeouts": {"first_token_seconds": float("nan")}}, 422, "invalid_request"),
    ],
    ids=lambda value: repr(value)[:60] if isinstance(value, dict | list) else None,
)
async def test_a_message_that_makes_no_sense(
    http: httpx.AsyncClient, body: Any, status: int, code: str, accept: str
) -> None:
    headers = {"content-type": "application/json", "accept": accept}
    answer = await http.post(NEW, content=json.dumps(body, ensure_ascii=False).encode(), headers=headers)
    assert_problem(answer, status, code)
    assert len(answer.content) < 2000, "a problem does not repeat what was sent"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b'{"content": "Hello"', 400, "malformed_json"),
        (b"content=Hello", 400, "malformed_json"),
        (b'{"content": "Hello"} trailing', 400, "malformed_json"),
        (b'{"content": "\xff\xfe"}', 400, "malformed_json"),
        (b'{"content": "\xed\xa0\x80"}', 422, "invalid_text"),
        (b'{"content": "line\nbreak"}', 400, "malformed_json"),
        (b"[" * 200_000, 400, "malformed_json"),
        (b'{"content":' * 50_000 + b"1" + b"}" * 50_000, 400, "malformed_json"),
        (b'{"content": ' + b"9" * 10_000 + b"}", 400, "malformed_json"),
        (b'{"content": "\\ud800"}', 422, "invalid_text"),
        (b'{"content": "Hello", "\\ud800": 1}', 422, "invalid_request"),
        (b'{"content": "Hello", "system": "\\udfff"}', 422, "invalid_text"),
        (b'{"content": "Hello", "model": "\\ud800"}', 422, "invalid_text"),
        (b"{" + b",".join(b'"f%d": 1' % n for n in range(50_000)) + b"}", 422, "invalid_request"),
        (b"", 422, "invalid_request"),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else None,
)
async def test_a_body_that_is_no_text_or_no_json(http: httpx.AsyncClient, body: bytes, status: int, code: str) -> None:
    answer = await http.post(NEW, content=body, headers={"content-type": "application/json"})
    assert_problem(answer, status, code)
    assert len(answer.content) < 20_000, "a problem is bounded"


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
)
async def test_another_content_type(http: httpx.AsyncClient, kind: str) -> None:
    answer = await http.post(NEW, content=b'{"content": "Hello"}', headers={"content-type": kind} if kind else {})
    assert_problem(answer, 415, "unsupported_media_type")


async def test_a_body_over_the_limit_by_its_length(stack: Stack, http: httpx.AsyncClient) -> None:
    body = json.dumps({"content": "x" * MAX_BODY}).encode()
    assert_problem(await ask(stack.url, raw_post(stack, body)), 413, "body_too_large")
    only_announced = raw_post(stack, b"", content_length=str(10**15))
    assert_problem(await ask(stack.url, only_announced), 413, "body_too_large")


async def test_a_body_over_the_limit_in_chunks(stack: Stack, http: httpx.AsyncClient) -> None:
    body = json.dumps({"content": "x" * MAX_BODY}).encode()
    assert_problem(await ask(stack.url, raw_post(stack, body, chunked=True)), 413, "body_too_large")


async def test_a_chunked_body_within_the_limit_is_read(stack: Stack, http: httpx.AsyncClient) -> None:
    body = json.dumps({"content": "x" * 200_000}).encode()
    assert_problem(await ask(stack.url, raw_post(stack, body, chunked=True)), 413, "message_too_long")


@pytest.mark.parametrize("filler", [b"x", b"\\u0001", "é".encode()])
async def test_the_largest_body_that_is_let_in_is_answered(stack: Stack, filler: bytes) -> None:
    for size in (MAX_BODY, MAX_BODY - 1, MAX_BODY - 200, MAX_BODY - 400):
        body = b'{"content": "' + filler * ((size - 15) // len(filler)) + b'"}'
        answer = await ask(stack.url, raw_post(stack, body + b" " * (size - len(body))))
        assert answer.status == 413, answer
        assert answer.json["code"] in {"body_too_large", "message_too_long"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"title": "x" * 201}, 422, "title_too_long"),
        ({"title": "a\x00b"}, 422, "invalid_text"),
        ({"system": "x" * 100_001}, 422, "system_too_long"),
        ({"system": "a\x00b"}, 422, "invalid_text"),
        ({"title": 7}, 422, "invalid_request"),
        ({"id": "mine"}, 422, "invalid_request"),
    ],
)
async def test_a_conversation_that_cannot_be(http: httpx.AsyncClient, body: Any, status: int, code: str) -> None:
    assert_problem(await http.post("/v1/conversations", json=body), status, code)


async def test_a_change_that_cannot_be_changes_nothing(stack: Stack) -> None:
    async with stack.client() as http:
        made = (await http.post("/v1/conversations", json={"title": "Before", "system": "Be brief."})).json()
        url = f"/v1/conversations/{made['id']}"
        for body in ({"title": "a\x00b"}, {"title": "x" * 201}, {"title": "After", "system": "x" * 100_001}):
            assert (await http.patch(url, json=body)).status_code == 422
        assert (await http.get(url)).json() == made


async def test_a_conversation_is_usable_after_all_that(stack: Stack) -> None:
    async with stack.client() as http:
        conversation = (await http.post("/v1/conversations", json={})).json()["id"]
        url = f"/v1/conversations/{conversation}/messages"
        for body in ({"content": ""}, {"content": "x", "model": "none"}, {"content": "a\x00b"}):
            assert (await http.post(url, json=body)).status_code == 422
        assert (await http.get(url)).json()["items"] == []
        told = await send(http, "Hello", conversation=conversation)
    assert told.types[-1] == "run.completed"


async def test_of_many_messages_at_the_same_moment_one_is_answered(stack: Stack) -> None:
    async with stack.client() as http:
        conversation = (await http.post("/v1/conversations", json={})).json()["id"]
        url = f"/v1/conversations/{conversation}/messages"
        bodies = [{"content": f"for {number + 1} hours", "model": "demo-marathon"} for number in range(12)]
        answers = await asyncio.gather(*(http.post(url, json=body) for body in bodies))
        (accepted,) = [answer for answer in answers if answer.status_code == 202]
        for answer in answers:
            if answer is not accepted:
                assert_problem(answer, 409, "run_in_progress")
        assert len((await http.get(url)).json()["items"]) == 1
        await http.post(f"/v1/runs/{accepted.json()['run_id']}/cancel")


async def test_a_second_message_waits_for_the_answer_of_the_first(stack: Stack) -> None:
    async with stack.client() as http:
        first = (await http.post(NEW, json={"content": "for 1 hour", "model": "demo-marathon"})).json()
        url = f"/v1/conversations/{first['conversation_id']}"
        assert_problem(await http.post(f"{url}/messages", json={"content": "Hello"}), 409, "run_in_progress")
        assert_problem(await http.delete(url), 409, "run_in_progress")
        assert len((await http.get(f"{url}/messages")).json()["items"]) == 1
        await http.post(f"/v1/runs/{first['run_id']}/cancel")

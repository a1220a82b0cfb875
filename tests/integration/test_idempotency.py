"""The same Idempotency-Key is the same run, for the same user and the same message."""

import asyncio
from typing import Any

import httpx

from tests.fixtures.database import rows
from tests.fixtures.events import Told, parse
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Stack

KEY = "a key that the client made"


async def post(
    http: httpx.AsyncClient, content: str = "Hello", *, conversation: str = "new", key: str = KEY, **headers: str
) -> httpx.Response:
    """Send a message with a key."""
    return await http.post(
        f"/v1/conversations/{conversation}/messages",
        json={"content": content, "model": "demo-swift"},
        headers={"idempotency-key": key, **{name.replace("_", "-"): value for name, value in headers.items()}},
    )


async def streamed(http: httpx.AsyncClient, content: str = "Hello", **headers: str) -> Told:
    """The same, streamed."""
    answer = await post(http, content, accept="text/event-stream", **headers)
    return Told(answer.status_code, parse(answer.content) if answer.status_code == 200 else [], answer.content)


async def test_a_repeated_post_gives_the_same_run(stack: Stack) -> None:
    async with stack.client() as http:
        first, second = await post(http), await post(http)
        assert (first.status_code, second.status_code) == (202, 202)
        assert first.json() == second.json()
        assert first.headers["location"] == second.headers["location"]
        assert len((await http.get("/v1/runs")).json()["items"]) == 1
        assert len((await http.get("/v1/conversations")).json()["items"]) == 1


async def test_repeated_posts_at_the_same_moment_give_one_run(stack: Stack) -> None:
    async with stack.client() as http:
        answers = await asyncio.gather(*(post(http) for _ in range(8)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["run_id"] for answer in answers}) == 1
        assert len((await http.get("/v1/runs")).json()["items"]) == 1


async def test_repeated_posts_at_the_same_moment_into_one_conversation_give_one_run(stack: Stack) -> None:
    async with stack.client() as http:
        conversation = (await http.post("/v1/conversations", json={})).json()["id"]
        answers = await asyncio.gather(*(post(http, conversation=conversation) for _ in range(8)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["run_id"] for answer in answers}) == 1


async def test_a_repeated_stream_is_the_same_stream(stack: Stack) -> None:
    async with stack.client() as http:
        first, second = await streamed(http), await streamed(http)
        assert [event.data for event in second.events] == [event.data for event in first.events]
        middle = len(first.events) // 2
        resumed = await streamed(http, last_event_id=first.events[middle].id)
        assert [event.id for event in resumed.events] == [event.id for event in first.events[middle + 1 :]]
        over = await streamed(http, last_event_id=first.events[-1].id)
        assert (over.status, over.raw) == (204, b"")


async def test_a_repeated_stream_with_a_cursor_that_is_none_is_refused(stack: Stack) -> None:
    async with stack.client() as http:
        await streamed(http)
        answer = await post(http, accept="text/event-stream", last_event_id="garbage")
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_cursor"


async def test_streams_opened_at_the_same_moment_are_one_run(stack: Stack) -> None:
    async with stack.client() as http:
        told = await asyncio.gather(*(streamed(http) for _ in range(5)))
    assert len({one.run_id for one in told}) == 1
    assert len({one.text() for one in told}) == 1
    assert all(one.types[-1] == "run.completed" for one in told)


async def test_another_user_with_the_same_key_has_a_run_of_their_own(stack: Stack) -> None:
    async with stack.client() as one, stack.client() as other:
        first, second = await post(one), await post(other)
        assert first.json()["run_id"] != second.json()["run_id"]
        assert (await other.get(first.json()["events_url"])).status_code == 404


async def test_the_key_of_another_message_is_a_conflict_and_stores_nothing(stack: Stack, servers: Servers) -> None:
    async with stack.client() as http:
        first = (await post(http, "Hello")).json()
        bodies: list[tuple[str, dict[str, Any]]] = [
            ("new", {"content": "Something else", "model": "demo-swift"}),
            ("new", {"content": "Hello", "model": "demo-sage"}),
            ("new", {"content": "Hello", "model": "demo-swift", "system": "Be brief."}),
            ("new", {"content": "Hello", "model": "demo-swift", "parameters": {"max_tokens": 3}}),
            ((await http.post("/v1/conversations", json={})).json()["id"], {"content": "Hello", "model": "demo-swift"}),
        ]
        for conversation, body in bodies:
            answer = await http.post(
                f"/v1/conversations/{conversation}/messages", json=body, headers={"idempotency-key": KEY}
            )
            assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict"), body
        assert [run["id"] for run in (await http.get("/v1/runs")).json()["items"]] == [first["run_id"]]
    count = await rows(servers, "SELECT count(*) AS n FROM chat.run WHERE id = $1", first["run_id"])
    assert count == [{"n": 1}]


async def test_a_key_that_says_nothing_or_too_much_is_refused(stack: Stack) -> None:
    async with stack.client() as http:
        for key in ("", "k" * 256):
            answer = await post(http, key=key)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), key
        assert (await http.get("/v1/runs")).json()["items"] == []

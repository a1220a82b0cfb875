"""Conversations over HTTP: branches, what waits, images, ratings, and every limit, as a client sees them."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.fixtures.events import Told, follow, send
from tests.fixtures.polling import until
from tests.fixtures.problems import assert_problem
from tests.fixtures.stack import Stack

PNG = b"\x89PNG\r\n\x1a\n and what follows"
SENT = {"media_type": "image/png", "data": base64.b64encode(PNG).decode()}
LONG_TOOL = {"name": "n", "description": "x" * 60_000}


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with stack.client() as client:
        yield client


async def talk(http: httpx.AsyncClient, *contents: str) -> str:
    """A conversation; returns its url."""
    conversation = "new"
    for content in contents:
        told = await send(http, content, conversation=conversation)
        conversation = told.one("run.created")["conversation_id"]
    return f"/v1/conversations/{conversation}"


async def shown(http: httpx.AsyncClient, url: str, **query: Any) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = (await http.get(f"{url}/messages", params=query)).json()["items"]
    return messages


async def streamed(http: httpx.AsyncClient, url: str, **body: Any) -> Told:
    """POST something that starts a run, and read its stream to the end."""
    headers = {"accept": "text/event-stream"}
    answer = await http.post(url, json={"model": "demo-swift", **body}, headers=headers)
    assert answer.status_code == 200, answer.text
    return await follow(http, f"{answer.headers['location']}/events")


async def test_branches_say_what_they_said_whoever_looks_and_whenever(http: httpx.AsyncClient) -> None:
    url = await talk(http, "One", "Two")
    first = await shown(http, url)
    edited = await streamed(http, f"{url}/messages", content="Zwei", edits=first[2]["id"])
    again = await streamed(http, f"{url}/messages/{first[1]['id']}/regenerate")
    now = await shown(http, url)
    assert [each["content"] for each in now] == ["One", again.text()]
    assert "You said “One”" in again.text()
    head = (await http.get(f"{url}")).json()["head_id"]
    assert head == now[-1]["id"] == again.one("run.created")["message_id"]
    for message_id, texts in (
        (edited.one("run.created")["message_id"], ["One", first[1]["content"], "Zwei", edited.text()]),
        (first[3]["id"], [each["content"] for each in first]),
    ):
        changed = await http.patch(url, json={"head_id": message_id})
        assert changed.json()["head_id"] == message_id
        assert [each["content"] for each in await shown(http, url)] == texts
        fork = (await http.post(f"{url}/fork", json={})).json()
        assert fork["forked_from"] == first[0]["conversation_id"]
        assert [each["content"] for each in await shown(http, f"/v1/conversations/{fork['id']}")] == texts
    everything = await shown(http, url, all_branches=True)
    assert len(everything) == 7
    parents = {each["id"]: each.get("parent_id") for each in everything}
    assert sorted(map(str, parents.values())).count(str(first[0]["id"])) == 2


async def test_everybody_who_watches_a_run_that_waits_is_told_the_same(http: httpx.AsyncClient) -> None:
    first = await http.post("/v1/conversations/new/messages", json={"content": "for 1 hour", "model": "demo-marathon"})
    url = f"/v1/conversations/{first.json()['conversation_id']}"
    assert_problem(await http.post(f"{url}/messages", json={"content": "Hello"}), 409, "run_in_progress")
    body = {"content": "Hello", "model": "demo-swift", "on_busy": "queue"}
    waiting = (await http.post(f"{url}/messages", json=body)).json()

    async def is_told() -> bool:
        return (await http.get(f"/v1/runs/{waiting['run_id']}")).json()["status"] == "queued"

    await until(is_told)
    watching = [asyncio.create_task(follow(http, waiting["events_url"])) for _ in range(3)]
    watching.append(asyncio.create_task(streamed(http, f"{url}/messages", content="Last", on_busy="queue")))
    await until(lambda: _waits(http, url, 2))
    stopped = await http.post(f"/v1/runs/{first.json()['run_id']}/cancel")
    assert stopped.status_code == 200
    *told, last = await asyncio.gather(*watching)
    for one in (*told, await follow(http, waiting["events_url"])):
        assert one.types[:2] == ["run.created", "run.queued"]
        assert one.types[-1] == "run.completed"
        assert one.text() == told[0].text()
    assert last.types[-1] == "run.completed"
    now = await shown(http, url)
    assert [each["content"] for each in now[2:]] == ["Hello", told[0].text(), "Last", last.text()]


async def _waits(http: httpx.AsyncClient, url: str, count: int) -> bool:
    return [each["status"] for each in await shown(http, url)].count("queued") == count


async def test_an_interrupting_message_is_answered_and_keeps_what_was_written(http: httpx.AsyncClient) -> None:
    first = await http.post("/v1/conversations/new/messages", json={"content": "for 1 hour", "model": "demo-marathon"})
    run, url = first.json(), f"/v1/conversations/{first.json()['conversation_id']}"

    async def begun() -> bool:
        return bool((await http.get(f"/v1/runs/{run['run_id']}")).json()["text"])

    await until(begun)
    told = await streamed(http, f"{url}/messages", content="Hello", on_busy="interrupt")
    stopped = await follow(http, run["events_url"])
    assert stopped.types[-1] == "run.cancelled"
    assert [each["content"] for each in await shown(http, url)] == ["for 1 hour", stopped.text(), "Hello", told.text()]


async def test_a_stop_ends_all_that_goes_on(http: httpx.AsyncClient) -> None:
    first = await http.post("/v1/conversations/new/messages", json={"content": "for 1 hour", "model": "demo-marathon"})
    url = f"/v1/conversations/{first.json()['conversation_id']}"
    await http.post(f"{url}/messages", json={"content": "Hello", "on_busy": "queue"})
    newest = (await http.post(f"{url}/stop")).json()
    assert newest["status"] == "cancelled"
    assert (await http.get(f"{url}/runs/latest")).json() == newest
    assert (await http.delete(url)).status_code == 204


async def test_an_image_is_fetched_as_it_was_sent(http: httpx.AsyncClient) -> None:
    told = await send(http, "What is it?", model="mock", images=[SENT])
    url = f"/v1/conversations/{told.one('run.created')['conversation_id']}"
    (image,) = (await shown(http, url))[0]["images"]
    fetched = await http.get(f"{url}/attachments/{image['attachment']}")
    assert (fetched.status_code, fetched.content, fetched.headers["content-type"]) == (200, PNG, "image/png")
    assert fetched.headers["x-content-type-options"] == "nosniff"
    for unknown in ("att_unknown", "a.b", "*"):
        assert_problem(await http.get(f"{url}/attachments/{unknown}"), 404, "unknown_attachment")


async def test_a_message_longer_than_the_bus_carries_reaches_the_model(http: httpx.AsyncClient) -> None:
    """The image, in base64, is longer than any message of the bus."""
    data = base64.b64encode(PNG + b"\x00" * 1_200_000).decode()
    told = await send(http, "What is it?", model="mock", images=[{"media_type": "image/png", "data": data}])
    assert told.types[-1] == "run.completed"


async def test_ratings_search_pins_and_archives(http: httpx.AsyncClient) -> None:
    url = await talk(http, "Where do geese sleep?")
    reply = (await shown(http, url))[1]
    rating = {"value": "down", "comment": "No."}
    rated = await http.put(f"{url}/messages/{reply['id']}/rating", json=rating)
    assert rated.json()["rating"] == rating
    assert (await http.delete(f"{url}/messages/{reply['id']}/rating")).json()["rating"] is None
    for change, query, found in (
        ({}, {"search": "geese"}, True),
        ({}, {"search": "ducks"}, False),
        ({"pinned": True}, {"pinned": True}, True),
        ({"archived": True}, {}, False),
        ({}, {"archived": True}, True),
    ):
        if change:
            assert change.items() <= (await http.patch(url, json=change)).json().items()
        listed = (await http.get("/v1/conversations", params=query)).json()["items"]
        assert bool(listed) == found, query


async def test_the_same_client_id_is_the_same_run(http: httpx.AsyncClient) -> None:
    url = f"{await talk(http, 'One')}/messages"
    body = {"content": "Two", "model": "demo-swift", "client_id": "msg-1"}
    runs = [(await http.post(url, json=body)).json()["run_id"] for _ in range(2)]
    assert runs[0] == runs[1]
    assert_problem(await http.post(url, json={**body, "content": "Else"}), 409, "client_id_conflict")
    assert (await follow(http, f"/v1/runs/{runs[0]}/events")).types[-1] == "run.completed"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"content": "x", "images": [SENT] * 11}, 422, "too_many_images"),
        ({"content": "x", "images": [SENT] * 21}, 422, "invalid_request"),
        ({"content": "x", "images": [SENT], "model": "demo-flaky"}, 422, "images_not_supported"),
        ({"content": "x", "images": [{**SENT, "media_type": "image/gif"}]}, 422, "invalid_image"),
        ({"content": "x", "images": [{**SENT, "media_type": "image/svg+xml"}]}, 422, "invalid_request"),
        ({"content": "x", "images": [{**SENT, "url": "https://x.y"}]}, 422, "invalid_request"),
        ({"content": "x", "images": [{"url": "http://x.y"}]}, 422, "invalid_request"),
        ({"content": "x", "images": [{"attachment": "att_x"}]}, 422, "invalid_request"),
        ({"content": "x", "images": [{}]}, 422, "invalid_request"),
        ({"content": "x", "client_id": ""}, 422, "invalid_request"),
        ({"content": "x", "client_id": "x" * 65}, 422, "invalid_request"),
        ({"content": "x", "client_id": "\x00"}, 422, "invalid_text"),
        ({"content": "x", "edits": "x" * 65}, 422, "invalid_request"),
        ({"content": "x", "edits": "msg_unknown"}, 404, "unknown_message"),
        ({"content": "x", "after": "\x00"}, 422, "invalid_text"),
        ({"content": "x", "edits": "\x00"}, 422, "invalid_text"),
        ({"content": "x", "edits": "a", "after": "b"}, 422, "invalid_message"),
        ({"content": "x", "on_busy": "panic"}, 422, "invalid_request"),
        ({"tool_results": [{"call_id": "c", "output": "x"}]}, 422, "unknown_tool_call"),
        ({"tool_results": [{"call_id": "c", "output": "x" * 400_001}]}, 413, "message_too_long"),
        ({"tool_results": [{"call_id": "c", "output": "x", "surprise": 1}]}, 422, "invalid_request"),
        ({"tool_results": [{"call_id": "c", "output": "x"}] * 129}, 422, "invalid_request"),
        ({"content": "x", "parameters": {"stop": ["\x00"]}}, 422, "invalid_text"),
        ({"content": "x", "parameters": {"tools": [LONG_TOOL]}}, 413, "parameters_too_long"),
        ({"content": "x", "parameters": {"response_format": {"a": "\x00"}}}, 422, "invalid_text"),
    ],
    ids=lambda value: repr(value)[:60] if isinstance(value, dict) else None,
)  # fmt: skip
@pytest.mark.parametrize("where", ["new", "old"])
async def test_what_makes_no_sense_is_refused(
    http: httpx.AsyncClient, body: dict[str, Any], status: int, code: str, where: str
) -> None:
    conversation = "new" if where == "new" else (await http.post("/v1/conversations", json={})).json()["id"]
    answer = await http.post(f"/v1/conversations/{conversation}/messages", json={"model": "demo-swift", **body})
    assert_problem(answer, status, code)
    assert (await http.get("/v1/runs")).json()["items"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", "messages/{reply}/rating", {"value": "sideways"}, 422, "invalid_request"),
        ("PUT", "messages/{reply}/rating", {"value": "up", "comment": "x" * 2_001}, 422, "invalid_request"),
        ("PUT", "messages/{reply}/rating", {"value": "up", "comment": "\x00"}, 422, "invalid_text"),
        ("PUT", "messages/{question}/rating", {"value": "up"}, 422, "not_an_answer"),
        ("PUT", "messages/a.b/rating", {"value": "up"}, 404, "unknown_message"),
        ("DELETE", "messages/*/rating", None, 404, "unknown_message"),
        ("POST", "messages/{reply}/regenerate", {"content": "x"}, 422, "invalid_request"),
        ("POST", "messages/{reply}/regenerate", {"model": "none"}, 422, "unknown_model"),
        ("POST", "messages/a.b/regenerate", {}, 404, "unknown_message"),
        ("POST", "fork", {"message_id": "a.b"}, 404, "unknown_message"),
        ("POST", "fork", {"message_id": "x" * 65}, 422, "invalid_request"),
        ("PATCH", "", {"head_id": "\x00"}, 404, "unknown_message"),
        ("PATCH", "", {"pinned": "perhaps"}, 422, "invalid_request"),
    ],
)
async def test_changes_that_make_no_sense_change_nothing(
    http: httpx.AsyncClient, method: str, path: str, body: Any, status: int, code: str
) -> None:
    url = await talk(http, "One")
    question, reply = await shown(http, url)
    target = f"{url}/{path.format(reply=reply['id'], question=question['id'])}".rstrip("/")
    assert_problem(await http.request(method, target, json=body), status, code)
    assert await shown(http, url, all_branches=True) == [question, reply]


async def test_a_search_that_makes_no_sense_is_refused(http: httpx.AsyncClient) -> None:
    for search, code in (("x" * 201, "invalid_request"), ("a\x00b", "invalid_text"), ("a " * 11, "too_many_words")):
        assert_problem(await http.get("/v1/conversations", params={"search": search}), 422, code)


async def test_old_messages_without_room_are_left_out_and_it_is_said(http: httpx.AsyncClient) -> None:
    """The demo models take 32,000 tokens; each of these messages has 12,500."""
    url = await talk(http, *(f"{number} " * 25_000 for number in range(2)))
    told = await send(http, "2 " * 25_000, conversation=url.rpartition("/")[2])
    assert told.one("run.created")["omitted_messages"] == 2
    messages = await shown(http, url)
    assert [each["omitted_messages"] for each in messages] == [0, 0, 0, 0, 0, 2]
    limit = {"parameters": {"max_tokens": 16_000}, "system": "s" * 30_000}
    answer = await http.post("/v1/conversations/new/messages", json={"content": "x" * 40_000, **limit})
    assert_problem(answer, 413, "context_too_long")

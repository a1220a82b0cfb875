"""An assistant over HTTP, with the product as it runs: made, run, approved, taken anew, gone on with, deleted."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from studio_client import Run, Studio
from tests.fixtures.polling import until
from tests.fixtures.problems import assert_problem
from tests.fixtures.stack import Stack
from tests.fixtures.ui_message import Message

DEFINITION: dict[str, Any] = {
    "fields": [{"name": "topic", "kind": "short_text"}],
    "steps": [
        {"name": "draft", "prompt": "Say hello to ${topic}.", "model": "demo-swift"},
        {"name": "left", "prompt": "Left: ${draft.output}", "model": "demo-swift", "depends_on": ["draft"]},
        {"name": "right", "prompt": "Right: ${draft.output}", "model": "demo-swift", "depends_on": ["draft"]},
        {
            "name": "last",
            "prompt": "${left.output} and ${right.output}",
            "model": "demo-swift",
            "approval": {"instructions": "Is it polite?"},
            "depends_on": ["left", "right"],
        },
    ],
}


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with stack.client() as client:
        yield client


async def made(http: httpx.AsyncClient, **fields: Any) -> str:
    response = await http.post("/v1/assistants", json={"name": "Greeting", "definition": DEFINITION, **fields})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def waiting(http: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    """The run, when a step of it waits for approval."""

    async def found() -> dict[str, Any] | None:
        run: dict[str, Any] = (await http.get(f"/v1/runs/{run_id}/steps")).json()
        return run if run["waiting_for_approval"] else None

    run = await until(found)
    assert run is not None
    return run


async def approved(http: httpx.AsyncClient, studio: Studio, run: Run) -> Run:
    """Followed to its end, approved on the way."""
    await run.start()
    following = asyncio.create_task(run.wait())
    await waiting(http, run.id)
    await studio.assistants.approve(run.id, "last", "Go on.")
    await following
    return run


async def test_a_run_from_its_assistant_to_a_conversation(stack: Stack, http: httpx.AsyncClient) -> None:
    assistant = await made(http)
    studio = Studio("", http=http)
    run = await approved(http, studio, studio.assistants.run(assistant, {"topic": "rivers"}))
    told = (await http.get(f"/v1/runs/{run.id}/steps")).json()
    assert (told["status"], told["done"], told["total"]) == ("completed", 4, 4)
    assert {step["step"]: step["output"] for step in told["steps"]} == {
        step["step"]: run.transcript.output(step["step"]) for step in told["steps"]
    }
    assert all(run.transcript.output(name) for name in ("draft", "left", "right", "last"))
    assert "rivers" in told["steps"][0]["turns"][-1]["content"]
    assert told["steps"][3]["decision"]["comment"] == "Go on."
    assert [each["id"] for each in (await http.get(f"/v1/assistants/{assistant}/runs")).json()["items"]] == [run.id]
    assert run.id in [each["id"] for each in (await http.get("/v1/runs")).json()["items"]]
    assert_problem(
        await http.post(f"/v1/runs/{run.id}/steps/last/approval", json={"decision": "reject"}), 409, "already_decided"
    )

    forked = await approved(http, studio, studio.assistants.fork(run.id, "last"))
    anew = (await http.get(f"/v1/runs/{forked.id}/steps")).json()
    assert anew["parent_run_id"] == run.id
    assert [bool(step["origin"]) for step in anew["steps"]] == [True, True, True, False]
    assert forked.transcript.output("draft") == run.transcript.output("draft")

    conversation = await http.post(f"/v1/runs/{run.id}/conversation")
    assert conversation.status_code == 201, conversation.text
    messages = (await http.get(f"{conversation.headers['location']}/messages")).json()["items"]
    assert [message["content"] for message in messages[1::2]] == [step["output"] for step in told["steps"]]

    for gone in (forked.id, run.id):
        assert (await http.delete(f"/v1/runs/{gone}")).status_code == 204
        assert_problem(await http.get(f"/v1/runs/{gone}/steps"), 404, "unknown_run")


async def test_a_run_as_a_message_of_the_ai_sdk(stack: Stack, http: httpx.AsyncClient) -> None:
    small = {**DEFINITION, "steps": DEFINITION["steps"][:3]}
    assistant = await made(http, definition=small)
    user = {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "rivers"}]}
    response = await http.post(f"/api/assistants/{assistant}", json={"id": "c", "messages": [user]})
    message = Message()
    message.take(response.content)
    run_id = response.headers["x-studio-run-id"]
    stored = (await http.get(f"/v1/runs/{run_id}/steps")).json()
    for part in message.of("data-step"):
        (step,) = [each for each in stored["steps"] if each["step"] == part["data"]["step"]]
        texts = [each["text"] for each in message.of("text") if each["of"]["lane"] == part["data"]["lane"]]
        assert (part["data"]["status"], "".join(texts)) == ("completed", step["output"])
    assert (message.finish, message.steps, message.open) == ("stop", (2, 2), {})
    again = Message()
    again.take((await http.get(f"/api/assistants/{assistant}/stream?run={run_id}")).content)
    assert (again.of("data-step"), again.finish) == (message.of("data-step"), "stop")


async def test_what_has_changed_meanwhile_is_not_overwritten(http: httpx.AsyncClient) -> None:
    assistant = await made(http)
    url = f"/v1/assistants/{assistant}"
    seen = (await http.get(url)).headers["etag"]
    fewer = {**DEFINITION, "steps": DEFINITION["steps"][:1]}
    changed = await http.patch(url, json={"definition": fewer}, headers={"if-match": seen})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    late = await http.patch(url, json={"definition": DEFINITION}, headers={"if-match": seen})
    assert_problem(late, 409, "version_conflict")
    exported = (await http.get(f"{url}/export")).json()
    imported = await http.post("/v1/assistants/import", json=exported)
    assert imported.status_code == 201, imported.text
    ids = {each["assistant"]["id"] for each in imported.json()["items"]}
    assert {
        each["assistant"]["id"] for each in (await http.post("/v1/assistants/import", json=exported)).json()["items"]
    } == ids
    assert len((await http.get("/v1/assistants/library")).json()["items"]) >= 3


async def test_a_file_is_an_input(http: httpx.AsyncClient) -> None:
    given = await http.post("/v1/files", files={"file": ("notes.txt", b"The river is wide.", "text/plain")})
    assert given.status_code == 201, given.text
    file = given.json()
    definition = {
        "fields": [{"name": "notes", "kind": "file"}],
        "steps": [{"name": "sum", "prompt": "Sum up: ${notes}", "model": "demo-swift"}],
    }
    tried = await http.post("/v1/assistants/dry-run", json={"definition": definition, "inputs": {"notes": file["id"]}})
    assert tried.status_code == 200, tried.text
    assert "The river is wide." in tried.json()["steps"][0]["turns"][-1]["content"]
    assert (await http.get(f"/v1/files/{file['id']}")).json()["text"].strip() == "The river is wide."
    assert (await http.delete(f"/v1/files/{file['id']}")).status_code == 204
    assert_problem(await http.get(f"/v1/files/{file['id']}"), 404, "unknown_file")

"""`/api/assistants/{id}`: a run of an assistant as one message of the AI SDK; and the predecessor's address."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from contracts import architect_values as values
from contracts import events
from contracts.assistant import Definition, InputField, Step
from contracts.chat_values import Run, StoredRun
from contracts.message import Problem
from kit.ids import new_id
from tests.fixtures import assistant_log as log
from tests.fixtures.own_edge import OwnEdge
from tests.fixtures.problems import assert_problem
from tests.fixtures.ui_message import Message, complete
from tests.integration.edge.ai_sdk import user
from tests.integration.edge.test_assistant_routes import ASST, assistant, sent

URL = f"/api/assistants/{ASST}"
OLD = "/api/assistant-architect/execute"
STEPS = (Step(name="draft", prompt="x", model="one"),)
TOPIC = InputField(name="topic", kind="long_text")
TONE = InputField(name="tone", kind="select", required=False)


async def post(edge: OwnEdge, body: dict[str, Any], url: str = URL, **headers: str) -> httpx.Response:
    """Ask, and let the run go as in tests/fixtures/assistant_log.py."""
    begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def start(body: dict[str, Any]) -> values.AssistantRunStarted:
        begun.set_result(body["run_id"])
        return values.AssistantRunStarted(run_id=body["run_id"])

    edge.answers["architect.start_run"] = start
    posting = asyncio.create_task(edge.http.post(url, json=body, headers=headers))
    done, _ = await asyncio.wait({posting, begun}, return_when=asyncio.FIRST_COMPLETED)
    if posting in done:
        return posting.result()
    run_id = await begun
    await edge.write(run_id, *log.run(run_id))
    return await posting


def knows(edge: OwnEdge, *fields: InputField) -> None:
    """Architect has the assistant."""
    found = assistant(definition=Definition(fields=fields, steps=STEPS))
    edge.answers["architect.get_assistant"] = lambda _: found


def body(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "c", "messages": list(messages), "trigger": "submit-message", **fields}


def command(edge: OwnEdge) -> dict[str, Any]:
    (found,) = [asked for name, asked in edge.asked if name == "architect.start_run"]
    edge.asked.clear()
    return found


def read(response: httpx.Response) -> Message:
    assert response.status_code == 200, response.text
    assert response.headers["x-vercel-ai-ui-message-stream"] == "v1"
    message = Message()
    message.take(response.content)
    return message


async def test_a_run_is_one_message_with_its_steps(edge: OwnEdge) -> None:
    inputs = {"topic": "rivers", "paper": ["file_1"]}
    response = await post(edge, body(user("Go", "m1"), inputs=inputs, version=2, notify="always"))
    asked, message = command(edge), read(response)
    assert (asked["assistant_id"], asked["inputs"], asked["version"], asked["notify"]) == (ASST, inputs, 2, "always")
    assert message.id == response.headers["x-studio-run-id"] == asked["run_id"]
    assert [part["data"]["status"] for part in message.of("data-step")].count("completed") == 4
    assert (message.finish, message.error, message.done) == ("stop", None, True)


async def test_without_inputs_the_last_message_is_the_only_text_field(edge: OwnEdge) -> None:
    knows(edge, TONE, TOPIC)
    await post(edge, body(user("Hello", "m1"), user("rivers", "m2")))
    assert command(edge)["inputs"] == {"topic": "rivers"}
    knows(edge)
    await post(edge, body(user("Go", "m1")))
    assert command(edge)["inputs"] == {}


@pytest.mark.parametrize(
    ("fields", "messages", "code"),
    [
        ((TOPIC, InputField(name="more", kind="short_text")), [user("x", "m")], "invalid_inputs"),
        ((TONE,), [user("x", "m")], "invalid_inputs"),
        ((TOPIC,), [], "nothing_new"),
        ((TOPIC,), [user(" ", "m")], "nothing_new"),
        ((TOPIC,), [{"role": "assistant", "parts": [{"type": "text", "text": "Hi"}]}], "nothing_new"),
    ],
)
async def test_a_message_that_can_be_no_input_is_refused(
    edge: OwnEdge, fields: tuple[InputField, ...], messages: list[dict[str, Any]], code: str
) -> None:
    knows(edge, *fields)
    problem = assert_problem(await edge.http.post(URL, json=body(*messages)), 422, code)
    assert "inputs" in problem["detail"]
    assert [name for name, _ in edge.asked] == ["architect.get_assistant"]


async def test_it_is_resumed_by_its_run_from_the_start_or_from_the_cursor(edge: OwnEdge) -> None:
    response = await post(edge, body(user("Go", "m1"), inputs={}))
    whole, run_id = read(response), response.headers["x-studio-run-id"]
    url = f"{URL}/stream?run={run_id}"
    again = await edge.http.get(url)
    assert (again.headers["x-studio-run-id"], read(again).parts) == (run_id, whole.parts)
    for cut in range(300, len(response.content), 700):
        half = Message()
        half.take(complete(response.content[:cut]))
        tail = await edge.http.get(url, headers={"last-event-id": half.cursor or ""})
        assert tail.status_code == 200
        half.take(tail.content)
        assert (half.parts, half.metadata, half.finish) == (whole.parts, whole.metadata, "stop")
    assert (await edge.http.get(url, headers={"last-event-id": whole.cursor or ""})).status_code == 204


async def test_there_is_nothing_to_resume_of_what_nobody_knows(edge: OwnEdge) -> None:
    edge.answers["architect.replay_run"] = lambda _: Problem(code="unknown_run", message="no")
    for run in (new_id("arc"), new_id("chat"), new_id("cmp"), "*", ""):
        response = await edge.http.get(f"{URL}/stream", params={"run": run})
        assert (response.status_code, response.content) == (204, b"")
    assert (await edge.http.get(f"{URL}/stream")).status_code == 204


async def test_a_run_whose_log_is_gone_is_told_as_it_is_stored(edge: OwnEdge) -> None:
    run_id = new_id("arc")
    told = tuple(events.encode(event).decode() for event in log.run(run_id))
    run = Run(id=run_id, kind="architect", status="completed", model="", created_at=datetime.now(UTC))
    edge.answers["architect.replay_run"] = lambda _: StoredRun(run=run, events=told)
    message = read(await edge.http.get(f"{URL}/stream?run={run_id}"))
    assert (message.finish, message.done, len(message.of("data-step"))) == ("stop", True, 6)


async def test_the_same_message_is_the_same_run_and_another_wish_another(edge: OwnEdge) -> None:
    keys = []
    for asked in (
        body(user("Go", "m1"), inputs={"topic": "a"}),
        body(user("Go", "m1"), inputs={"topic": "a"}),
        body(user("Go", "m1"), inputs={"topic": "b"}),
        body(user("Now", "m1"), inputs={"topic": "a"}),
        body(user("Go", "m1"), inputs={"topic": "a"}, trigger="regenerate-message"),
    ):
        await post(edge, asked)
        keys.append(command(edge).get("idempotency_key"))
    assert keys[0] == keys[1]
    assert len(set(keys[1:])) == 4
    assert keys[4] is None
    await post(edge, body(user("Go", "m1"), inputs={}), **{"idempotency-key": "mine"})
    assert command(edge)["idempotency_key"] == "mine"


@pytest.mark.parametrize("tool", ["asst_7", 7])
async def test_the_predecessors_request_is_answered_in_the_same_way(edge: OwnEdge, tool: Any) -> None:
    response = await post(edge, {"toolId": tool, "inputs": {"topic": "a"}, "conversationId": None}, OLD)
    asked = command(edge)
    assert (asked["assistant_id"], asked["inputs"]) == (str(tool), {"topic": "a"})
    assert read(response).finish == "stop"


@pytest.mark.parametrize(
    ("path", "wrong", "status", "code"),
    [
        (OLD, {}, 422, "invalid_request"),
        (OLD, {"toolId": True}, 422, "invalid_request"),
        (OLD, {"toolId": "a.b"}, 404, "unknown_assistant"),
        (OLD, {"toolId": "a", "inputs": []}, 422, "invalid_request"),
        ("/api/assistants/a.b", {"inputs": {}}, 404, "unknown_assistant"),
        (URL, {"inputs": []}, 422, "invalid_request"),
        (URL, {"inputs": {}, "version": 0}, 422, "invalid_request"),
        (URL, {"inputs": {"a": "\ud800"}}, 422, "invalid_text"),
        (URL, {"inputs": {"a": "\ud800"}, "messages": [user("Go", "m1")]}, 422, "invalid_text"),
        (URL, {"inputs": {}, "messages": [{"role": "nobody"}]}, 422, "invalid_request"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_reason(
    edge: OwnEdge, path: str, wrong: dict[str, Any], status: int, code: str
) -> None:
    assert_problem(await sent(edge, path, wrong), status, code)
    assert edge.asked == []


async def test_what_architect_refuses_is_a_problem(edge: OwnEdge) -> None:
    edge.answers["architect.get_assistant"] = lambda _: Problem(code="unknown_assistant", message="no")
    assert_problem(await edge.http.post(URL, json=body(user("x", "m"))), 404, "unknown_assistant")
    edge.answers["architect.start_run"] = lambda _: Problem(code="invalid_inputs", message="no")
    assert_problem(await edge.http.post(URL, json={"inputs": {}}), 422, "invalid_inputs")

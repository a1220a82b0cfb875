"""`/api/compare`: a comparison as one message of the AI SDK, or as the predecessor's events."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from contracts import events
from contracts.chat_values import Run
from contracts.compare_values import ComparisonStarted
from contracts.message import Problem
from kit.ids import new_id
from tests.fixtures import compare_log as log
from tests.fixtures.own_edge import OwnEdge
from tests.fixtures.problems import assert_problem
from tests.fixtures.ui_message import Message, complete
from tests.integration.edge.ai_sdk import user

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD = {"prompt": "Hello", "model1Id": "one", "model2Id": "two", "model1Name": "One", "model2Name": "Two"}


async def post(edge: OwnEdge, body: dict[str, Any], *told: events.Event) -> httpx.Response:
    """Ask, and let the comparison go as told (by default as in tests/fixtures/compare_log.py)."""
    begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def start(body: dict[str, Any]) -> ComparisonStarted:
        begun.set_result(body["run_id"])
        return ComparisonStarted(run_id=body["run_id"])

    edge.answers["compare.start_comparison"] = start
    posting = asyncio.create_task(edge.http.post("/api/compare", json=body))
    done, _ = await asyncio.wait({posting, begun}, return_when=asyncio.FIRST_COMPLETED)
    if posting in done:
        return posting.result()
    run_id = await begun
    await edge.write(run_id, *(told or log.comparison(run_id)))
    return await posting


def body(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "c", "messages": list(messages), "trigger": "submit-message", "models": ["one", "two"], **fields}


def command(edge: OwnEdge) -> dict[str, Any]:
    (found,) = [asked for name, asked in edge.asked if name == "compare.start_comparison"]
    edge.asked.clear()
    return found


def read(response: httpx.Response) -> Message:
    assert response.status_code == 200, response.text
    assert response.headers["x-vercel-ai-ui-message-stream"] == "v1"
    message = Message()
    message.take(response.content)
    return message


async def test_a_comparison_is_one_message_with_a_slot_for_each_model(edge: OwnEdge) -> None:
    response = await post(edge, body(user("Hello", "m1"), system="Be brief.", temperature=0.5))
    asked, message = command(edge), read(response)
    assert [(turn["role"], turn["content"]) for turn in asked["turns"]] == [("system", "Be brief."), ("user", "Hello")]
    assert [wish["model"] for wish in asked["models"]] == ["one", "two"]
    assert asked["parameters"]["temperature"] == 0.5
    assert message.id == response.headers["x-studio-run-id"] == asked["run_id"]
    assert (message.valid(slot=0), message.valid(slot=1)) == ("Hello", "Grüße")
    assert [slot["status"] for slot in message.slots] == ["completed", "failed"]
    assert (message.finish, message.error, message.done) == ("stop", None, True)


async def test_it_is_resumed_by_its_run_from_the_start_or_from_the_cursor(edge: OwnEdge) -> None:
    response = await post(edge, body(user("Hello", "m1")))
    whole, run_id = read(response), response.headers["x-studio-run-id"]
    url = f"/api/compare/{run_id}/stream"
    again = read(await edge.http.get(url))
    assert (again.id, again.slots) == (whole.id, whole.slots)
    for cut in range(300, len(response.content), 400):
        half = Message()
        half.take(complete(response.content[:cut]))
        tail = await edge.http.get(url, headers={"last-event-id": half.cursor or ""})
        assert tail.status_code == 200
        half.take(tail.content)
        assert [half.valid(slot=slot) for slot in (0, 1)] == ["Hello", "Grüße"]
        assert (half.slots, half.finish) == (whole.slots, "stop")
    assert (await edge.http.get(url, headers={"last-event-id": whole.cursor or ""})).status_code == 204


async def test_before_the_vote_no_frame_says_whose_a_lane_is(edge: OwnEdge) -> None:
    response = await post(edge, body(user("Hello", "m1"), blind=True))
    assert response.headers["x-studio-run-id"].endswith("_blind")
    assert not log.tells_whose(response.content)
    assert read(response).valid(slot=1) == "Grüße"
    again = await edge.http.get(f"/api/compare/{response.headers['x-studio-run-id']}/stream")
    assert not log.tells_whose(again.content)
    old = await post(edge, {**OLD, "blind": True})
    assert not log.tells_whose(old.content)


async def test_there_is_nothing_to_resume_of_what_nobody_knows(edge: OwnEdge) -> None:
    edge.answers["compare.replay_run"] = lambda _: Problem(code="unknown_run", message="no")
    for chat in (new_id("cmp"), "my chat/1", "chat_1", "*"):
        response = await edge.http.get(f"/api/compare/{chat}/stream")
        assert (response.status_code, response.content) == (204, b"")
    assert_problem(await edge.http.post("/api/compare/my chat/stop"), 404, "unknown_run")


async def test_stop_stops_all(edge: OwnEdge) -> None:
    edge.answers["compare.cancel_run"] = lambda asked: Run(
        id=asked["run_id"], kind="compare", status="cancelled", model="", created_at=NOW
    )
    run_id = new_id("cmp")
    assert (await edge.http.post(f"/api/compare/{run_id}/stop")).json()["status"] == "cancelled"


async def test_the_same_message_is_the_same_comparison_and_another_wish_another(edge: OwnEdge) -> None:
    keys: list[Any] = []
    wishes: list[Any] = []
    for asked in (
        body(user("Hello", "m1")),
        body(user("Hello", "m1"), notify="always"),
        body(user("Hello", "m1"), models=["one", "three"]),
        body(user("Hallo", "m1")),
        body(user("Hello", "m1"), trigger="regenerate-message"),
    ):
        await post(edge, asked)
        sent = command(edge)
        keys.append(sent.get("idempotency_key"))
        wishes.append(sent.get("notify"))
    assert wishes == [None, "always", None, None, None]
    assert len(set(keys)) == 5
    assert keys[4] is None


async def test_the_conversation_goes_on_with_the_lane_that_is_named(edge: OwnEdge) -> None:
    def text(slot: int, words: str) -> dict[str, Any]:
        return {"type": "text", "text": words, "providerMetadata": {"studio": {"slot": slot}}}

    restarted = {"type": "data-restarted", "data": {"kind": "text", "slot": 1}}
    slots = [{"type": "data-slot", "id": f"slot-{slot}", "data": {}} for slot in (0, 1)]
    parts = [*slots, text(0, "Hi"), text(1, "void"), restarted, text(1, "Hey")]
    compared = {"id": "a1", "role": "assistant", "parts": parts}
    history = [user("Hello", "m1"), compared, user("And now?", "m2")]
    for slot, expected in ((None, ["And now?"]), (0, ["Hello", "Hi", "And now?"]), (1, ["Hello", "Hey", "And now?"])):
        await post(edge, body(*history, slot=slot))
        assert [turn["content"] for turn in command(edge)["turns"]] == expected


async def test_the_predecessors_body_is_answered_as_it_did(edge: OwnEdge) -> None:
    response = await post(edge, OLD)
    asked = command(edge)
    assert ([wish["model"] for wish in asked["models"]], asked["turns"][0]["content"]) == (["one", "two"], "Hello")
    assert response.headers["x-comparison-id"] == asked["run_id"]
    told = [json.loads(line[6:]) for line in response.text.split("\n\n") if line]
    texts = {name: "".join(each["chunk"] for each in told if each["modelId"] == name and each["type"] == "content")
             for name in ("model1", "model2")}  # fmt: skip
    assert texts == {"model1": "Hello", "model2": "Grüße"}
    ends = [each for each in told if each["type"] != "content"]
    usage = {"promptTokens": log.WHICH, "completionTokens": log.WHICH, "totalTokens": 2 * log.WHICH}
    assert ends == [
        {"modelId": "model1", "type": "finish", "finishReason": "length", "usage": usage},
        {"modelId": "model2", "type": "error", "error": log.ERROR},
        {"modelId": "model2", "type": "finish", "finishReason": "error"},
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"models": ["one", "two"]},
        {"models": ["one", "two"], "messages": []},
        {"models": ["one", "two"], "messages": [{"role": "assistant", "parts": [{"type": "text", "text": "hi"}]}]},
        {"models": ["one", "two"], "messages": [{"role": "system", "content": "hi"}]},
        {"models": ["one", "two"], "messages": [user("\ud800", "m1")]},
        {"models": [{"parameters": {}}, "two"], "messages": [user("hi", "m1")]},
        {"models": ["one", "\ud800"], "messages": [user("hi", "m1")]},
        {"models": ["one", "x" * 300], "messages": [user("hi", "m1")]},
        {"models": ["one", "two"], "messages": [user("hi", "m1")], "temperature": 9},
        {"models": ["one", "two"], "messages": [user("hi", "m1")], "notify": "perhaps"},
        {**OLD, "prompt": ""},
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_reason(edge: OwnEdge, wrong: dict[str, Any]) -> None:
    raw = json.dumps(wrong)  # it writes half a surrogate pair
    response = await edge.http.post("/api/compare", content=raw, headers={"content-type": "application/json"})
    assert response.status_code == 422, response.text
    assert response.json()["detail"]
    assert edge.asked == []

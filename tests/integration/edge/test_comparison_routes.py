"""Comparisons over HTTP: what compare is asked, and what becomes of its answers."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from contracts import compare
from contracts.chat_values import Deleted, Run
from contracts.message import Problem
from tests.fixtures.own_edge import OwnEdge
from tests.fixtures.problems import assert_problem

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CMP, BLIND = "cmp_01k3x9v4t2p7q8r5s6w0y1z2ab", "cmp_01k3x9v4t2p7q8r5s6w0y1z2ab_blind"
STARTED: dict[str, Any] = {"models": ["one", "two"], "prompt": "Hello"}


def started(body: dict[str, Any]) -> compare.ComparisonStarted:
    return compare.ComparisonStarted(run_id=body["run_id"])


def comparison(**fields: Any) -> compare.Comparison:
    return compare.Comparison(**{"id": CMP, "title": "", "status": "completed", "created_at": NOW, **fields})


async def begin(edge: OwnEdge, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    """The command that a body becomes."""
    edge.answers["compare.start_comparison"] = started
    response = await edge.http.post("/v1/comparisons", json=body, headers=headers)
    assert response.status_code == 202, response.text
    command = edge.asked[-1][1]
    assert response.json() == {"run_id": command["run_id"], "events_url": f"/v1/runs/{command['run_id']}/events"}
    assert response.headers["location"] == f"/v1/runs/{command['run_id']}"
    return command


async def sent(edge: OwnEdge, body: dict[str, Any]) -> httpx.Response:
    """Also half a surrogate pair."""
    raw = json.dumps(body)
    return await edge.http.post("/v1/comparisons", content=raw, headers={"content-type": "application/json"})


async def test_a_prompt_and_models_are_a_comparison(edge: OwnEdge) -> None:
    two = {"model": "two", "parameters": {"temperature": 0}}
    body = {
        **STARTED,
        "models": ["one", two],
        "system": "Be brief.",
        "parameters": {"max_tokens": 9},
        "title": "T",
        "notify": "never",
    }
    command = await begin(edge, {**body, "timeouts": {"total_seconds": 60}}, **{"idempotency-key": "k"})
    assert [(turn["role"], turn["content"]) for turn in command["turns"]] == [
        ("system", "Be brief."),
        ("user", "Hello"),
    ]
    one, other = command["models"]
    assert (one["model"], one.get("parameters")) == ("one", None)
    assert (other["model"], other["parameters"]["temperature"]) == ("two", 0)
    assert (command["parameters"]["max_tokens"], command["timeouts"]["total_seconds"]) == (9, 60)
    assert (command["title"], command["notify"], command["idempotency_key"]) == ("T", "never", "k")
    assert command["run_id"].startswith("cmp_")
    assert not command["run_id"].endswith("_blind")


async def test_a_conversation_so_far_with_pictures(edge: OwnEdge) -> None:
    image = {"url": "https://example.com/cat.png"}
    said = [("user", "Hello"), ("assistant", "Hi"), ("user", "")]
    messages = [{"role": role, "content": content} for role, content in said]
    messages[-1] |= {"images": [image]}
    command = await begin(edge, {"models": ["one", "two"], "messages": messages, "blind": True})
    assert [(turn["role"], turn["content"]) for turn in command["turns"]] == said
    assert command["turns"][-1]["images"][0]["url"] == image["url"]
    assert command["run_id"].endswith("_blind")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"prompt": "Hello"},
        {**STARTED, "prompt": 7},
        {**STARTED, "prompt": None},
        {**STARTED, "messages": [{"role": "user", "content": "x"}]},
        {"models": ["one", "two"], "messages": []},
        {"models": ["one", "two"], "messages": [{"role": "system", "content": "x"}]},
        {**STARTED, "models": "one"},
        {**STARTED, "models": [{"model": ""}, "two"]},
        {**STARTED, "models": [{"model": "one", "fallbacks": ["x"]}, "two"]},
        {**STARTED, "models": ["one"] * 65},
        {**STARTED, "models": ["one", ""]},
        {**STARTED, "models": ["one", "x" * 257]},
        {**STARTED, "models": ["one", "\ud800"]},
        {**STARTED, "parameters": {"temperature": 9}},
        {**STARTED, "fallbacks": ["three"]},
        {**STARTED, "blind": "perhaps"},
        {**STARTED, "timeouts": {"total_seconds": 0}},
        {**STARTED, "notify": "perhaps"},
    ],
)
async def test_a_body_that_makes_no_sense_is_refused_before_compare_is_asked(
    edge: OwnEdge, wrong: dict[str, Any]
) -> None:
    assert_problem(await sent(edge, wrong), 422, "invalid_request")
    assert edge.asked == []


async def test_half_a_character_is_refused(edge: OwnEdge) -> None:
    assert_problem(await sent(edge, {**STARTED, "prompt": "\ud800"}), 422, "invalid_text")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("unknown_model", 422),
        ("too_few_models", 422),
        ("too_many_models", 422),
        ("duplicate_model", 422),
        ("tools_not_supported", 422),
        ("empty_message", 422),
        ("message_too_long", 413),
        ("idempotency_conflict", 409),
        ("unavailable", 503),
    ],
)
async def test_what_compare_refuses_is_a_problem(edge: OwnEdge, code: str, status: int) -> None:
    edge.answers["compare.start_comparison"] = lambda _: Problem(code=code, message="no")
    for accept in ("*/*", "text/event-stream"):
        response = await edge.http.post("/v1/comparisons", json=STARTED, headers={"accept": accept})
        assert_problem(response, status, code)


async def test_a_vote(edge: OwnEdge) -> None:
    edge.answers["compare.vote_comparison"] = lambda _: comparison()
    body = {"outcome": "winner", "winner": "lane_1", "ratings": [{"lane": "lane_2", "rating": "down"}], "comment": "c"}
    response = await edge.http.post(f"/v1/comparisons/{CMP}/votes", json=body)
    assert (response.status_code, response.json()["id"]) == (200, CMP)
    assert edge.asked[-1][1]["vote"] == body
    for code in ("run_in_progress", "already_voted"):
        edge.answers["compare.vote_comparison"] = lambda _, code=code: Problem(code=code, message="no")
        assert_problem(await edge.http.post(f"/v1/comparisons/{CMP}/votes", json=body), 409, code)


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({}, 422, "invalid_request"),
        ({"outcome": "best"}, 422, "invalid_request"),
        ({"outcome": "tie", "ratings": [{"lane": "lane_1", "rating": "great"}]}, 422, "invalid_request"),
        ({"outcome": "tie", "comment": "x" * 2001}, 422, "invalid_request"),
        ({"outcome": "winner", "winner": "*"}, 404, "unknown_lane"),
        ({"outcome": "tie", "ratings": [{"lane": "a.b", "rating": "up"}]}, 404, "unknown_lane"),
    ],
)
async def test_a_vote_that_makes_no_sense(edge: OwnEdge, wrong: dict[str, Any], status: int, code: str) -> None:
    assert_problem(await edge.http.post(f"/v1/comparisons/{CMP}/votes", json=wrong), status, code)
    assert edge.asked == []


async def test_one_lane_is_stopped(edge: OwnEdge) -> None:
    edge.answers["compare.cancel_lane"] = lambda _: comparison()
    assert (await edge.http.post(f"/v1/comparisons/{CMP}/lanes/lane_1/cancel")).status_code == 200
    assert (edge.asked[-1][1]["run_id"], edge.asked[-1][1]["lane"]) == (CMP, "lane_1")
    assert_problem(await edge.http.post(f"/v1/comparisons/{CMP}/lanes/a.b/cancel"), 404, "unknown_lane")
    edge.answers["compare.cancel_lane"] = lambda _: Problem(code="unknown_lane", message="no")
    assert_problem(await edge.http.post(f"/v1/comparisons/{CMP}/lanes/lane_2/cancel"), 404, "unknown_lane")


@pytest.mark.parametrize(
    ("parent", "revealed", "blind"), [(CMP, True, False), (BLIND, False, True), (BLIND, True, False)]
)
async def test_the_next_run_of_a_comparison_is_blind_until_there_is_a_vote(
    edge: OwnEdge, parent: str, revealed: bool, blind: bool
) -> None:
    known = Run(id=parent, kind="compare", status="completed", model="m", created_at=NOW, revealed=revealed)
    edge.answers["compare.get_run"] = lambda _: known
    edge.answers["compare.extend_comparison"] = started
    body = {"retry": ["lane_1"], "add": ["three"], "notify": "always"}
    response = await edge.http.post(f"/v1/comparisons/{parent}/runs", json=body)
    assert response.status_code == 202
    command = edge.asked[-1][1]
    assert (command["parent_run_id"], command["retry"]) == (parent, ["lane_1"])
    assert (command["add"][0]["model"], command["notify"]) == ("three", "always")
    assert command["run_id"].endswith("_blind") is blind
    assert response.json()["run_id"] == command["run_id"]


async def test_an_extension_that_cannot_be(edge: OwnEdge) -> None:
    url = f"/v1/comparisons/{CMP}/runs"
    assert_problem(await edge.http.post(url, json={"retry": ["*"]}), 404, "unknown_lane")
    edge.answers["compare.extend_comparison"] = lambda _: Problem(code="not_voted", message="no")
    assert_problem(await edge.http.post(url, json={"add": ["three"]}), 409, "not_voted")


async def test_list_look_and_delete(edge: OwnEdge) -> None:
    edge.answers["compare.list_comparisons"] = lambda _: compare.ComparisonPage(items=(comparison(),), next=BLIND)
    page = (await edge.http.get("/v1/comparisons", params={"limit": 1, "before": BLIND})).json()
    assert ([item["id"] for item in page["items"]], page["next"]) == ([CMP], BLIND)
    assert (edge.asked[-1][1]["limit"], edge.asked[-1][1]["before"]) == (1, BLIND)
    assert_problem(await edge.http.get("/v1/comparisons", params={"before": "*"}), 400, "invalid_cursor")
    edge.answers["compare.get_comparison"] = lambda _: comparison(title="T")
    assert (await edge.http.get(f"/v1/comparisons/{CMP}")).json()["title"] == "T"
    edge.answers["compare.delete_comparison"] = lambda _: Deleted()
    assert (await edge.http.delete(f"/v1/comparisons/{CMP}")).status_code == 204


async def test_the_leaderboard(edge: OwnEdge) -> None:
    edge.answers["compare.get_leaderboard"] = lambda _: compare.Leaderboard(items=(), votes=3, computed_at=NOW)
    assert (await edge.http.get("/v1/leaderboard")).json()["votes"] == 3
    assert edge.asked[-1][1]["which"] == "all"
    await edge.http.get("/v1/leaderboard", params={"which": "blind"})
    assert edge.asked[-1][1]["which"] == "blind"
    assert_problem(await edge.http.get("/v1/leaderboard", params={"which": "mine"}), 422, "invalid_request")


@pytest.mark.parametrize("bad", ["chat_01k3x9v4t2p7q8r5s6w0y1z2ab", "arc_1", "cmp_", "cmp_a.b", "*", "x" * 70])
async def test_an_id_that_is_no_comparisons_is_an_unknown_one(edge: OwnEdge, bad: str) -> None:
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/votes"),
        ("POST", "/lanes/lane_1/cancel"),
        ("POST", "/runs"),
    ):
        body = {"/votes": {"outcome": "tie"}, "/runs": {"retry": ["lane_1"]}}.get(path)
        assert_problem(await edge.http.request(method, f"/v1/comparisons/{bad}{path}", json=body), 404, "unknown_run")
    assert edge.asked == []

"""What is made of a comparison over HTTP: a conversation from one answer, and a file."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts import chat, compare
from contracts.chat import ImportConversation
from contracts.content import Turn
from contracts.message import Problem
from services.edge.chat_ids import is_ours
from tests.fixtures.own_edge import OwnEdge
from tests.fixtures.problems import assert_problem

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CMP, BLIND = "cmp_01k3x9v4t2p7q8r5s6w0y1z2ab", "cmp_01k3x9v4t2p7q8r5s6w0y1z2ab_blind"
TURNS = (Turn(role="system", content="Be brief."), Turn(role="user", content="Hello"))


def lane(name: str, **fields: Any) -> compare.ComparedLane:
    return compare.ComparedLane(**{"lane": name, "model": f"model-{name}", "status": "completed", **fields})


def serve(edge: OwnEdge, **fields: Any) -> None:
    """Compare knows a comparison, and chat imports."""
    lanes = (
        lane("done", text="Hi"),
        lane("stopped", status="cancelled", text="Half"),
        lane("going", status="running", text="Ha"),
        lane("empty", status="failed"),
        lane("blank", text=" \n"),
    )
    known = {"id": CMP, "title": "Title", "status": "running", "created_at": NOW, "turns": TURNS, "lanes": lanes}
    comparison = compare.Comparison(**{**known, **fields})
    edge.answers["compare.get_comparison"] = lambda body: (
        comparison if body["run_id"] == comparison.id else Problem(code="unknown_run", message="There is no such run.")
    )
    edge.answers["chat.import_conversation"] = lambda body: chat.Conversation(
        id=body["conversation_id"], title=body["title"], created_at=NOW, updated_at=NOW
    )


async def gone_on(edge: OwnEdge, name: str, **headers: str) -> ImportConversation:
    """What chat is asked to import."""
    response = await edge.http.post(f"/v1/comparisons/{CMP}/lanes/{name}/conversation", headers=headers)
    assert response.status_code == 201, response.text
    asked, body = edge.asked[-1]
    assert asked == "chat.import_conversation"
    assert response.json()["id"] == body["conversation_id"]
    assert response.headers["location"] == f"/v1/conversations/{body['conversation_id']}"
    return ImportConversation.model_validate(body)


@pytest.mark.parametrize(("name", "text"), [("done", "Hi"), ("stopped", "Half")])
async def test_an_answer_goes_on_as_a_conversation(edge: OwnEdge, name: str, text: str) -> None:
    serve(edge)
    command = await gone_on(edge, name)
    assert command.turns == (*TURNS, Turn(role="assistant", content=text))
    assert (command.title, command.model) == ("Title", f"model-{name}")
    assert command.owner.model_dump() == edge.asked[0][1]["owner"]


async def test_the_same_answer_again_is_the_same_conversation(edge: OwnEdge) -> None:
    serve(edge)
    ids = [
        (await gone_on(edge, name, **headers)).conversation_id
        for name, headers in (
            ("done", {}),
            ("done", {}),
            ("done", {"idempotency-key": "a"}),
            ("done", {"idempotency-key": "a"}),
            ("done", {"idempotency-key": "b"}),
            ("stopped", {}),
        )
    ]
    assert [ids.index(each) for each in ids] == [0, 0, 2, 2, 4, 5]
    assert all(is_ours(each) for each in ids)


@pytest.mark.parametrize("name", ["going", "empty", "blank"])
async def test_an_answer_that_is_none_yet_is_refused(edge: OwnEdge, name: str) -> None:
    serve(edge)
    response = await edge.http.post(f"/v1/comparisons/{CMP}/lanes/{name}/conversation")
    assert_problem(response, 409, "lane_not_finished")
    assert [asked for asked, _ in edge.asked] == ["compare.get_comparison"]


@pytest.mark.parametrize(
    ("run", "name", "code"),
    [
        (CMP, "other", "unknown_lane"),
        (CMP, "a.b", "unknown_lane"),
        (CMP, "*", "unknown_lane"),
        ("cmp_other", "done", "unknown_run"),
        ("chat_01k3x9v4t2", "done", "unknown_run"),
        ("cmp_*", "done", "unknown_run"),
    ],
)
async def test_what_is_not_there_is_unknown(edge: OwnEdge, run: str, name: str, code: str) -> None:
    serve(edge)
    assert_problem(await edge.http.post(f"/v1/comparisons/{run}/lanes/{name}/conversation"), 404, code)
    if code == "unknown_run":
        assert_problem(await edge.http.get(f"/v1/comparisons/{run}/export"), 404, code)


async def test_what_chat_says_against_it_is_told(edge: OwnEdge) -> None:
    serve(edge)
    edge.answers["chat.import_conversation"] = lambda _: Problem(code="system_too_long", message="Too long.")
    response = await edge.http.post(f"/v1/comparisons/{CMP}/lanes/done/conversation")
    assert_problem(response, 422, "system_too_long")


async def test_before_its_vote_a_blind_one_is_not_gone_on_with(edge: OwnEdge) -> None:
    hidden = (compare.ComparedLane(lane="done", status="completed", text="Hi"),)
    serve(edge, id=BLIND, blind=True, revealed=False, lanes=hidden)
    url = f"/v1/comparisons/{BLIND}/lanes/done/conversation"
    assert_problem(await edge.http.post(url), 409, "not_voted")
    serve(edge, id=BLIND, blind=True, revealed=True)
    assert (await edge.http.post(url)).status_code == 201


@pytest.mark.parametrize("query", ["", "?format=json"])
async def test_a_file_for_programs(edge: OwnEdge, query: str) -> None:
    serve(edge)
    response = await edge.http.get(f"/v1/comparisons/{CMP}/export{query}")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.headers["content-disposition"] == f'attachment; filename="comparison-{CMP}.json"'
    told = compare.Comparison.model_validate_json(response.content)
    assert [each.text for each in told.lanes] == ["Hi", "Half", "Ha", None, " \n"]
    assert told.turns == TURNS


async def test_a_file_for_people(edge: OwnEdge) -> None:
    serve(edge)
    response = await edge.http.get(f"/v1/comparisons/{CMP}/export", params={"format": "markdown"})
    assert (response.status_code, response.headers["content-type"]) == (200, "text/markdown; charset=utf-8")
    assert response.headers["content-disposition"] == f'attachment; filename="comparison-{CMP}.md"'
    assert response.text.startswith("# Title\n")
    assert "```markdown\nHalf\n```" in response.text


async def test_another_format_is_refused(edge: OwnEdge) -> None:
    serve(edge)
    assert_problem(await edge.http.get(f"/v1/comparisons/{CMP}/export?format=pdf"), 422, "invalid_request")


@pytest.mark.parametrize("form", ["json", "markdown"])
async def test_the_file_of_a_blind_one_has_no_names(edge: OwnEdge, form: str) -> None:
    """Even if compare told them."""
    serve(edge, id=BLIND, blind=True, revealed=False, lanes=(lane("done", text="Hi", cost_usd="0.123", provider="pp"),))
    response = await edge.http.get(f"/v1/comparisons/{BLIND}/export", params={"format": form})
    assert response.status_code == 200
    assert "Hi" in (response.text if form == "markdown" else json.loads(response.text)["lanes"][0]["text"])
    for secret in ("model-done", "0.123", "pp"):
        assert secret not in response.text

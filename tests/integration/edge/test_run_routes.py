"""Runs of every kind over HTTP: each is asked of its own service, and all of them are one list."""

from datetime import UTC, datetime

import pytest

from contracts.chat_values import Deleted, Run, RunPage
from contracts.ids import orchestrator_of
from contracts.message import Problem
from tests.fixtures.own_edge import OwnEdge
from tests.fixtures.problems import assert_problem

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SERVICES = ("chat", "compare", "architect")
BLIND = "cmp_01k3x9v4t2p7q8r5s6w0y1z2ab_blind"


def run(run_id: str, conversation: str | None = None) -> Run:
    kind = orchestrator_of(run_id) or ""
    return Run(id=run_id, kind=kind, status="completed", model="m", created_at=NOW, conversation_id=conversation)


async def test_runs_of_every_kind_are_one_list(edge: OwnEdge) -> None:
    edge.answers["chat.list_runs"] = lambda _: RunPage(items=(run("chat_7"), run("chat_3")), next="chat_3")
    edge.answers["compare.list_runs"] = lambda _: RunPage(items=(run("cmp_5_blind"), run("cmp_4")))
    edge.answers["architect.list_runs"] = lambda _: RunPage(items=(run("arc_6"),))
    page = (await edge.http.get("/v1/runs", params={"limit": 3, "before": "cmp_8_blind"})).json()
    assert [item["id"] for item in page["items"]] == ["chat_7", "arc_6", "cmp_5_blind"]
    assert page["next"] == "cmp_5_blind"
    assert {(name, body["before"]) for name, body in edge.asked} == {
        ("chat.list_runs", "chat_8"),
        ("compare.list_runs", "cmp_8"),
        ("architect.list_runs", "arc_8"),
    }


@pytest.mark.parametrize("away", SERVICES)
async def test_a_list_that_would_lack_runs_is_not_told(edge: OwnEdge, away: str) -> None:
    for name in set(SERVICES) - {away}:
        edge.answers[f"{name}.list_runs"] = lambda _: RunPage(items=())
    assert_problem(await edge.http.get("/v1/runs"), 503, "unavailable")


async def test_each_run_is_asked_of_its_own_service(edge: OwnEdge) -> None:
    for service in SERVICES:
        edge.answers[f"{service}.get_run"] = edge.answers[f"{service}.cancel_run"] = lambda body: run(body["run_id"])
    for run_id, service in (("chat_1", "chat"), ("cmp_1", "compare"), (BLIND, "compare"), ("arc_1", "architect")):
        assert (await edge.http.get(f"/v1/runs/{run_id}")).json()["id"] == run_id
        assert (await edge.http.post(f"/v1/runs/{run_id}/cancel")).json()["id"] == run_id
        assert [name for name, _ in edge.asked[-2:]] == [f"{service}.get_run", f"{service}.cancel_run"]
    for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("DELETE", "")):
        assert_problem(await edge.http.request(method, f"/v1/runs/other_1{path}"), 404, "unknown_run")


async def test_an_assistants_run_is_deleted(edge: OwnEdge) -> None:
    edge.answers["architect.delete_run"] = lambda _: Deleted()
    response = await edge.http.delete("/v1/runs/arc_1")
    assert (response.status_code, response.content) == (204, b"")
    assert (edge.asked[-1][0], edge.asked[-1][1]["run_id"]) == ("architect.delete_run", "arc_1")
    edge.answers["architect.delete_run"] = lambda _: Problem(code="run_in_progress", message="no")
    assert_problem(await edge.http.delete("/v1/runs/arc_1"), 409, "run_in_progress")


@pytest.mark.parametrize(
    ("run_id", "conversation", "where"),
    [
        ("chat_1", "conv_7", "DELETE /v1/conversations/conv_7"),
        ("chat_2", None, "DELETE /v1/responses/{response}"),
        ("cmp_1", None, "DELETE /v1/comparisons/cmp_1"),
    ],
)
async def test_a_run_of_another_kind_says_where_it_is_deleted(
    edge: OwnEdge, run_id: str, conversation: str | None, where: str
) -> None:
    for service in SERVICES:
        edge.answers[f"{service}.get_run"] = lambda body: run(body["run_id"], conversation)
    problem = assert_problem(await edge.http.delete(f"/v1/runs/{run_id}"), 409, "deleted_elsewhere")
    assert where in problem["detail"]
    for service in SERVICES:
        edge.answers[f"{service}.get_run"] = lambda _: Problem(code="unknown_run", message="There is no such run.")
    assert_problem(await edge.http.delete(f"/v1/runs/{run_id}"), 404, "unknown_run")
    assert not [name for name, _ in edge.asked if "delete" in name]

"""The runs of assistants and their steps over HTTP: what architect is asked, and what becomes of its answers."""

import asyncio
from typing import Any

import pytest

from contracts import architect_values as values
from contracts import chat
from contracts.chat import ImportConversation
from contracts.content import Turn
from contracts.message import Problem
from tests.fixtures import assistant_log as log
from tests.fixtures.own_edge import OwnEdge
from tests.fixtures.problems import assert_problem
from tests.integration.edge.test_assistant_routes import ASST, NOW, SMALL, sent

RUN = "arc_01k3x9v4t2p7q8r5s6w0y1z2ab"
START, FORK = f"/v1/assistants/{ASST}/runs", f"/v1/runs/{RUN}/fork"


def started(body: dict[str, Any]) -> values.AssistantRunStarted:
    return values.AssistantRunStarted(run_id=body["run_id"])


def a_step(name: str, **fields: Any) -> values.RunStep:
    return values.RunStep(**{"step": name, "title": name, "status": "completed", "model": f"model-{name}", **fields})


def a_run(*steps: values.RunStep, **fields: Any) -> values.AssistantRun:
    known: dict[str, Any] = {"id": RUN, "assistant_id": ASST, "assistant_version": 1, "name": "Texts"}
    known |= {"status": "completed", "done": 1, "total": 1, "created_at": NOW, "ended_at": NOW}
    return values.AssistantRun(**{**known, "steps": steps, **fields})


async def begin(edge: OwnEdge, path: str, body: Any, **headers: str) -> dict[str, Any]:
    """The command that a body becomes."""
    edge.answers["architect.start_run"] = edge.answers["architect.fork_run"] = started
    response = await edge.http.post(path, json=body, headers=headers)
    assert response.status_code == 202, response.text
    command = edge.asked[-1][1]
    where = f"/v1/runs/{command['run_id']}"
    assert response.json() == {
        "run_id": command["run_id"],
        "events_url": f"{where}/events",
        "steps_url": f"{where}/steps",
    }
    assert response.headers["location"] == where
    assert command["run_id"].startswith("arc_")
    return command


async def test_a_run_is_started_with_inputs(edge: OwnEdge) -> None:
    inputs = {"topic": "rivers", "points": ["a"], "paper": "file_1"}
    body = {"inputs": inputs, "version": 2, "notify": "always"}
    command = await begin(edge, START, body, **{"idempotency-key": "k"})
    assert (command["assistant_id"], command["inputs"], command["version"]) == (ASST, inputs, 2)
    assert (command["notify"], command["idempotency_key"]) == ("always", "k")
    command = await begin(edge, START, None)
    assert (command["inputs"], command.get("version"), command.get("notify")) == ({}, None, None)


async def test_a_run_is_told_as_events_from_its_beginning_on(edge: OwnEdge) -> None:
    begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def start(body: dict[str, Any]) -> values.AssistantRunStarted:
        begun.set_result(body["run_id"])
        return started(body)

    edge.answers["architect.start_run"] = start
    posting = asyncio.create_task(edge.http.post(START, json={}, headers={"accept": "text/event-stream"}))
    run_id = await begun
    told = log.run(run_id)
    await edge.write(run_id, *told)
    response = await posting
    assert (response.status_code, response.headers["location"]) == (200, f"/v1/runs/{run_id}")
    assert log.types_in(response.content) == [log.type_of(event) for event in told]
    again = await edge.http.get(f"/v1/runs/{run_id}/events")
    assert log.types_in(again.content) == [log.type_of(event) for event in told]


async def test_a_step_is_retried_by_a_fork_without_changes(edge: OwnEdge) -> None:
    command = await begin(edge, f"/v1/runs/{RUN}/steps/draft/retry", None, **{"idempotency-key": "k"})
    assert edge.asked[-1][0] == "architect.fork_run"
    assert (command["parent_run_id"], command["step"], command["idempotency_key"]) == (RUN, "draft", "k")
    assert (command["inputs"], command["changes"]) == ({}, {})
    edge.answers["architect.fork_run"] = lambda _: Problem(code="run_in_progress", message="no")
    assert_problem(await edge.http.post(f"/v1/runs/{RUN}/steps/draft/retry"), 409, "run_in_progress")


async def test_a_fork_says_what_is_otherwise(edge: OwnEdge) -> None:
    change = {"prompt": "Otherwise.", "model": "two", "parameters": {"temperature": 0}, "retries": 0}
    body = {"from": "draft", "inputs": {"topic": "seas"}, "steps": {"title": change}, "notify": "never"}
    command = await begin(edge, FORK, body)
    assert (command["parent_run_id"], command["step"], command["inputs"]) == (RUN, "draft", {"topic": "seas"})
    assert command["notify"] == "never"
    told = command["changes"]["title"]
    assert (told["prompt"], told["model"], told["retries"]) == ("Otherwise.", "two", 0)
    assert told["parameters"]["temperature"] == 0
    assert "system" not in told


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (START, {"input": {}}),
        (START, {"inputs": []}),
        (START, {"version": 0}),
        (START, {"notify": "perhaps"}),
        (FORK, {}),
        (FORK, {"from": "a", "step": "b"}),
        (FORK, {"from": "a", "steps": {"b": {"name": "c"}}}),
        (FORK, {"from": "a", "steps": {"b": {"retries": 11}}}),
        (f"/v1/runs/{RUN}/steps/draft/approval", {}),
        (f"/v1/runs/{RUN}/steps/draft/approval", {"decision": "perhaps"}),
        (f"/v1/runs/{RUN}/steps/draft/approval", {"decision": "approve", "by": "ada"}),
        (f"/v1/runs/{RUN}/steps/draft/approval", {"decision": "approve", "comment": "x" * 10_001}),
        ("/v1/assistants/dry-run", {"inputs": {}}),
        ("/v1/assistants/dry-run", {"definition": {**SMALL, "more": 1}}),
    ],
)
async def test_a_body_that_makes_no_sense_is_refused_before_architect_is_asked(
    edge: OwnEdge, path: str, wrong: Any
) -> None:
    assert_problem(await sent(edge, path, wrong), 422, "invalid_request")
    assert edge.asked == []


@pytest.mark.parametrize(("decision", "approved"), [("approve", True), ("reject", False)])
async def test_a_step_is_approved_or_rejected(edge: OwnEdge, decision: str, approved: bool) -> None:
    edge.answers["architect.decide_approval"] = lambda _: a_run()
    url = f"/v1/runs/{RUN}/steps/draft/approval"
    response = await edge.http.post(url, json={"decision": decision, "comment": "why"})
    assert (response.status_code, response.json()["id"]) == (200, RUN)
    command = edge.asked[-1][1]
    assert (command["step"], command["approved"], command["comment"]) == ("draft", approved, "why")
    for code in ("already_decided", "not_waiting_for_approval"):
        edge.answers["architect.decide_approval"] = lambda _, code=code: Problem(code=code, message="no")
        assert_problem(await edge.http.post(url, json={"decision": decision}), 409, code)


async def test_look_list_and_stop_a_step(edge: OwnEdge) -> None:
    edge.answers["architect.get_assistant_run"] = lambda _: a_run(a_step("draft", output="Hi"))
    assert (await edge.http.get(f"/v1/runs/{RUN}/steps")).json()["steps"][0]["output"] == "Hi"
    edge.answers["architect.cancel_step"] = lambda _: a_run()
    assert (await edge.http.post(f"/v1/runs/{RUN}/steps/draft/cancel")).status_code == 200
    assert edge.asked[-1][1]["step"] == "draft"
    edge.answers["architect.list_assistant_runs"] = lambda _: values.AssistantRunPage(items=(a_run(),), next=RUN)
    page = (await edge.http.get(START, params={"limit": 1, "before": RUN})).json()
    assert ([item["id"] for item in page["items"]], page["next"]) == ([RUN], RUN)
    asked = edge.asked[-1][1]
    assert (asked["assistant_id"], asked["limit"], asked["before"]) == (ASST, 1, RUN)


async def test_a_dry_run_of_what_is_saved_and_of_what_is_not(edge: OwnEdge) -> None:
    edge.answers["architect.dry_run"] = lambda _: values.DryRun(steps=(), input_tokens=7, output_tokens=1)
    response = await edge.http.post(f"/v1/assistants/{ASST}/dry-run", json={"inputs": {"topic": "x"}, "version": 2})
    assert response.json()["input_tokens"] == 7
    asked = edge.asked[-1][1]
    assert (asked["assistant_id"], asked["version"], asked["inputs"]) == (ASST, 2, {"topic": "x"})
    assert "definition" not in asked
    await edge.http.post("/v1/assistants/dry-run", json={"definition": SMALL, "inputs": {"topic": "x"}})
    asked = edge.asked[-1][1]
    assert (asked["definition"]["steps"][0]["name"], asked.get("assistant_id")) == ("draft", None)


@pytest.mark.parametrize("bad", ["chat_1", "cmp_1", "arc_", "arc_a.b", "*", "x" * 70])
async def test_an_id_that_is_no_assistants_run_is_an_unknown_one(edge: OwnEdge, bad: str) -> None:
    for method, path, body in (
        ("GET", "/steps", None),
        ("POST", "/steps/draft/cancel", None),
        ("POST", "/steps/draft/retry", None),
        ("POST", "/steps/draft/approval", {"decision": "approve"}),
        ("POST", "/fork", {"from": "draft"}),
        ("POST", "/conversation", None),
    ):
        assert_problem(await edge.http.request(method, f"/v1/runs/{bad}{path}", json=body), 404, "unknown_run")
    assert edge.asked == []


@pytest.mark.parametrize("bad", ["a.b", "*", "x" * 65])
async def test_a_step_that_can_be_none_is_an_unknown_one(edge: OwnEdge, bad: str) -> None:
    for path, body in (
        (f"steps/{bad}/cancel", None),
        (f"steps/{bad}/retry", None),
        (f"steps/{bad}/approval", {"decision": "approve"}),
        ("fork", {"from": bad}),
    ):
        assert_problem(await edge.http.post(f"/v1/runs/{RUN}/{path}", json=body), 404, "unknown_step")
    assert edge.asked == []


def serve(edge: OwnEdge, run: values.AssistantRun) -> None:
    """Architect knows a run, and chat imports."""
    edge.answers["architect.get_assistant_run"] = lambda _: run
    edge.answers["chat.import_conversation"] = lambda body: chat.Conversation(
        id=body["conversation_id"], title=body["title"], created_at=NOW, updated_at=NOW
    )


async def gone_on(edge: OwnEdge, **headers: str) -> ImportConversation:
    """What chat is asked to import."""
    response = await edge.http.post(f"/v1/runs/{RUN}/conversation", headers=headers)
    assert response.status_code == 201, response.text
    asked, body = edge.asked[-1]
    assert asked == "chat.import_conversation"
    assert response.headers["location"] == f"/v1/conversations/{body['conversation_id']}"
    return ImportConversation.model_validate(body)


async def test_a_run_goes_on_as_a_conversation(edge: OwnEdge) -> None:
    def said(*texts: str) -> tuple[Turn, ...]:
        roles = ("system", "user", "assistant", "user")
        return tuple(Turn(role=roles[number], content=text) for number, text in enumerate(texts))  # type: ignore[arg-type]

    serve(
        edge,
        a_run(
            a_step("draft", turns=said("Be brief.", "Write."), output="Text"),
            a_step("check", status="skipped"),
            a_step("broken", turns=said("Be strict.", "Break."), output=" ", status="failed"),
            a_step("title", turns=said("Be wild.", "Write.", "Text", "Find a title."), output="Title"),
        ),
    )
    command = await gone_on(edge)
    assert [(turn.role, turn.content) for turn in command.turns] == [
        ("system", "Be wild."),
        ("user", "Write."),
        ("assistant", "Text"),
        ("user", "Find a title."),
        ("assistant", "Title"),
    ]
    assert (command.title, command.model) == ("Texts", "model-title")
    ids = [command.conversation_id]
    for headers in ({}, {"idempotency-key": "a"}, {"idempotency-key": "a"}):
        ids.append((await gone_on(edge, **headers)).conversation_id)
    assert [ids.index(each) for each in ids] == [0, 0, 2, 2]


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (a_run(a_step("draft", output="Hi"), status="running", ended_at=None), "run_in_progress"),
        (a_run(a_step("draft", status="failed"), status="failed"), "no_output"),
        (a_run(a_step("draft", output="Hi")), "no_output"),
        (a_run(), "no_output"),
    ],
)
async def test_a_run_that_has_nothing_to_go_on_from_is_refused(
    edge: OwnEdge, run: values.AssistantRun, code: str
) -> None:
    serve(edge, run)
    assert_problem(await edge.http.post(f"/v1/runs/{RUN}/conversation"), 409, code)
    assert [asked for asked, _ in edge.asked] == ["architect.get_assistant_run"]

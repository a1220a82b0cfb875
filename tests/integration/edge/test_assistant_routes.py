"""Assistants over HTTP: what architect is asked, and what becomes of its answers."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from contracts import architect_values as values
from contracts.assistant import Definition
from contracts.assistant_examples import DEFINITION
from contracts.chat_values import Deleted
from contracts.message import Problem
from services.edge.problems import STATUS
from tests.fixtures.own_edge import OwnEdge
from tests.fixtures.problems import assert_problem

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ASST, RUN = "asst_01k3x9v4t2p7q8r5s6w0y1z2ab", "arc_01k3x9v4t2p7q8r5s6w0y1z2ab"
STEP: dict[str, Any] = {"name": "draft", "prompt": "Write about ${topic}.", "model": "one"}
SMALL: dict[str, Any] = {"fields": [{"name": "topic", "kind": "short_text"}], "steps": [STEP]}
NEW: dict[str, Any] = {"name": "Texts", "definition": SMALL}


def assistant(**fields: Any) -> values.Assistant:
    known = {"id": ASST, "name": "Texts", "status": "draft", "version": 3, "latest_version": 3, "mine": True}
    return values.Assistant(**{**known, "created_at": NOW, "updated_at": NOW, **fields})


def made(body: dict[str, Any]) -> values.Assistant:
    return assistant(id=body["assistant_id"], version=1, latest_version=1)


async def sent(edge: OwnEdge, path: str, body: Any, method: str = "POST", **headers: str) -> httpx.Response:
    """Also half a surrogate pair."""
    raw = json.dumps(body)
    return await edge.http.request(method, path, content=raw, headers={"content-type": "application/json", **headers})


async def test_an_assistant_is_made_as_it_is_sent(edge: OwnEdge) -> None:
    edge.answers["architect.create_assistant"] = made
    whole = json.loads(DEFINITION.model_dump_json())
    response = await sent(edge, "/v1/assistants", {"name": "N", "description": "D", "definition": whole})
    name, command = edge.asked[-1]
    assert (response.status_code, response.json()["id"]) == (201, command["assistant_id"])
    assert (response.headers["location"], response.headers["etag"]) == (
        f"/v1/assistants/{command['assistant_id']}",
        '"1"',
    )
    assert name == "architect.create_assistant"
    assert (command["name"], command["description"], command["status"]) == ("N", "D", "draft")
    assert Definition.model_validate(command["definition"]) == DEFINITION


async def test_the_same_key_makes_one_assistant(edge: OwnEdge) -> None:
    edge.answers["architect.create_assistant"] = made
    edge.answers["architect.copy_assistant"] = made
    ids = []
    for path, key in [("", "a"), ("", "a"), ("", "b"), ("", ""), (f"/{ASST}/copy", "a"), (f"/{ASST}/copy", "a")]:
        headers = {"idempotency-key": key} if key else {}
        response = await sent(edge, f"/v1/assistants{path}", {} if path else NEW, **headers)
        assert response.status_code == 201, response.text
        ids.append(response.json()["id"])
    assert [ids.index(each) for each in ids] == [0, 0, 2, 3, 4, 4]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"name": "N"},
        {**NEW, "name": ""},
        {**NEW, "status": "deleted"},
        {**NEW, "icon": "x"},
        {**NEW, "definition": {**SMALL, "step": []}},
        {**NEW, "definition": {"fields": []}},
        {**NEW, "definition": {"steps": [{**STEP, "name": "a.b"}]}},
        {**NEW, "definition": {"steps": [{**STEP, "promt": "x"}]}},
        {**NEW, "definition": {"steps": [{**STEP, "on_error": "ignore"}]}},
        {**NEW, "definition": {"steps": [{**STEP, "retries": 11}]}},
        {**NEW, "definition": {"steps": [{**STEP, "timeout_seconds": float("inf")}]}},
        {**NEW, "definition": {"steps": [{**STEP, "parameters": {"heat": 1}}]}},
        {**NEW, "definition": {"steps": [{**STEP, "approval": {"by": "ada"}}]}},
        {**NEW, "definition": {"fields": [{"name": "f", "kind": "number"}], "steps": [STEP]}},
        {**NEW, "definition": {"fields": [{"name": "f", "kind": "select", "options": []}], "steps": [STEP]}},
        {**NEW, "definition": {"steps": [STEP] * 201}},
        [],
    ],
)
async def test_a_body_that_makes_no_sense_is_refused_before_architect_is_asked(edge: OwnEdge, wrong: Any) -> None:
    assert_problem(await sent(edge, "/v1/assistants", wrong), 422, "invalid_request")
    assert edge.asked == []


async def test_half_a_character_is_refused(edge: OwnEdge) -> None:
    half = {**NEW, "definition": {"steps": [{**STEP, "system": "\ud800"}]}}
    assert_problem(await sent(edge, "/v1/assistants", half), 422, "invalid_text")
    body = {"a": "\ud800"}
    assert_problem(await sent(edge, "/v1/assistants/import", body), 422, "invalid_text")
    assert_problem(await sent(edge, f"/v1/assistants/{ASST}/runs", {"inputs": body}), 422, "invalid_text")
    edge.answers["architect.start_run"] = lambda body: values.AssistantRunStarted(run_id=body["run_id"])
    response = await sent(edge, f"/v1/assistants/{ASST}/runs", {"inputs": {"\ud800": "a"}})
    assert response.status_code in (202, 422), response.text


@pytest.mark.parametrize(("depth", "status", "code"), [(300, 422, "invalid_request"), (100_000, 400, "malformed_json")])
async def test_what_is_nested_too_deeply_is_refused(edge: OwnEdge, depth: int, status: int, code: str) -> None:
    nested = "[" * depth + "]" * depth
    user = '{"id":"m","role":"user","parts":[]}'
    for path, raw in (
        ("/v1/assistants/import", f'{{"a":{nested}}}'),
        (f"/v1/assistants/{ASST}/runs", f'{{"inputs":{{"a":{nested}}}}}'),
        (f"/api/assistants/{ASST}", f'{{"messages":[{user}],"inputs":{{"a":{nested}}}}}'),
    ):
        response = await edge.http.post(path, content=raw, headers={"content-type": "application/json"})
        assert "Unicode" not in assert_problem(response, status, code)["detail"]
    assert edge.asked == []


@pytest.mark.parametrize("code", ["not_yours", "version_conflict", "unknown_assistant", "invalid_assistant"])
async def test_what_architect_refuses_is_a_problem(edge: OwnEdge, code: str) -> None:
    edge.answers["architect.update_assistant"] = lambda _: Problem(code=code, message="no")
    assert_problem(await sent(edge, f"/v1/assistants/{ASST}", {}, "PATCH"), STATUS.get(code, 422), code)


def test_the_status_says_what_kind_of_refusal_it_is() -> None:
    codes = ("not_yours", "unknown_version", "unknown_file", "unknown_step", "version_conflict", "already_decided",
             "not_waiting_for_approval", "run_in_progress", "file_too_large", "invalid_inputs")  # fmt: skip
    assert [STATUS.get(code, 422) for code in codes] == [403, 404, 404, 404, 409, 409, 409, 409, 413, 422]


@pytest.mark.parametrize(("etag", "version"), [(None, None), ("*", None), ('"3"', 3), ('W/"3"', 3), ("3", 3)])
async def test_who_changes_an_assistant_may_say_what_it_has_seen(
    edge: OwnEdge, etag: str | None, version: int | None
) -> None:
    edge.answers["architect.update_assistant"] = lambda _: assistant(version=4, latest_version=4)
    headers = {} if etag is None else {"if-match": etag}
    response = await sent(edge, f"/v1/assistants/{ASST}", {"name": "N", "note": "why"}, "PATCH", **headers)
    command = edge.asked[-1][1]
    assert (response.status_code, response.headers["etag"]) == (200, '"4"')
    assert (command["name"], command["note"], command.get("expected_version")) == ("N", "why", version)
    assert command.keys().isdisjoint({"definition", "status", "description"})


@pytest.mark.parametrize("etag", ["abc", '"3", "4"', "", '"-1"', '"٣"'])
async def test_another_etag_is_refused(edge: OwnEdge, etag: str) -> None:
    headers = {"if-match": etag.encode()}
    response = await edge.http.patch(f"/v1/assistants/{ASST}", json={"name": "N"}, headers=headers)  # type: ignore[arg-type]
    assert_problem(response, 422, "invalid_request")
    assert edge.asked == []


async def test_list_look_and_delete(edge: OwnEdge) -> None:
    edge.answers["architect.list_assistants"] = lambda _: values.AssistantPage(items=(assistant(),), next=ASST)
    query: dict[str, Any] = {"limit": 1, "before": ASST, "mine": True, "search": "text"}
    page = (await edge.http.get("/v1/assistants", params=query)).json()
    assert ([item["id"] for item in page["items"]], page["next"]) == ([ASST], ASST)
    asked = edge.asked[-1][1]
    assert {name: asked[name] for name in query} == query
    edge.answers["architect.list_assistants"] = lambda _: Problem(code="invalid_cursor", message="no")
    assert_problem(await edge.http.get("/v1/assistants", params={"before": "7.asst_1"}), 400, "invalid_cursor")
    assert edge.asked[-1][1]["before"] == "7.asst_1"

    edge.answers["architect.get_assistant"] = lambda body: assistant(version=body.get("version", 3))
    for version, etag in ((None, '"3"'), (2, '"2"')):
        response = await edge.http.get(f"/v1/assistants/{ASST}", params={"version": version} if version else {})
        assert (response.status_code, response.headers["etag"]) == (200, etag)
    assert_problem(await edge.http.get(f"/v1/assistants/{ASST}?version=0"), 422, "invalid_request")

    history = values.AssistantVersions(items=(values.AssistantVersion(version=1, steps=2, created_at=NOW),))
    edge.answers["architect.list_versions"] = lambda _: history
    assert (await edge.http.get(f"/v1/assistants/{ASST}/versions")).json()["items"][0]["steps"] == 2

    edge.answers["architect.delete_assistant"] = lambda _: Deleted()
    assert (await edge.http.delete(f"/v1/assistants/{ASST}")).status_code == 204


async def test_a_copy_without_a_wish_and_with_one(edge: OwnEdge) -> None:
    edge.answers["architect.copy_assistant"] = made
    for body in (None, {"version": 2, "name": "Mine"}):
        response = await edge.http.post(f"/v1/assistants/{ASST}/copy", json=body)
        command = edge.asked[-1][1]
        assert response.status_code == 201
        assert (command["source_id"], response.json()["id"]) == (ASST, command["assistant_id"])
        assert (command.get("version"), command.get("name")) == ((2, "Mine") if body else (None, None))


async def test_a_file_is_imported_as_it_is_or_with_models(edge: OwnEdge) -> None:
    edge.answers["architect.import_assistants"] = lambda _: values.ImportedAssistants(items=())
    document = {"version": "1.0", "assistants": [{"name": "Ä", "prompts": []}]}
    turned = dict(reversed(document.items()))
    ids = []
    for body in (document, turned, {"document": document}, {"document": document, "models": {"gpt": "one"}}):
        assert (await sent(edge, "/v1/assistants/import", body)).status_code == 201
        command = edge.asked[-1][1]
        assert command["document"] == document
        ids.append(command["ids_from"])
    assert [ids.index(each) for each in ids] == [0, 0, 0, 3]


_DOCUMENT: dict[str, Any] = {"document": {}}


@pytest.mark.parametrize(
    "wrong", [[], "x", {**_DOCUMENT, "model": {}}, {**_DOCUMENT, "models": {"a": 1}}, {**_DOCUMENT, "models": []}]
)
async def test_an_import_that_makes_no_sense(edge: OwnEdge, wrong: Any) -> None:
    assert_problem(await sent(edge, "/v1/assistants/import", wrong), 422, "invalid_request")
    assert edge.asked == []


async def test_an_export_is_a_file(edge: OwnEdge) -> None:
    document = {"format": "ai-studio", "name": "Grüße"}
    edge.answers["architect.export_assistant"] = lambda _: values.ExportedAssistant(document=document)
    response = await edge.http.get(f"/v1/assistants/{ASST}/export?version=2")
    assert (response.json(), response.headers["content-type"]) == (document, "application/json")
    assert response.headers["content-disposition"] == f'attachment; filename="assistant-{ASST}.json"'
    assert edge.asked[-1][1]["version"] == 2


async def test_the_library_is_not_an_assistant(edge: OwnEdge) -> None:
    example = values.ExampleAssistant(name="n", title="T", description="", definition=DEFINITION)
    edge.answers["architect.list_examples"] = lambda _: values.ExampleAssistants(items=(example,))
    assert (await edge.http.get("/v1/assistants/library")).json()["items"][0]["title"] == "T"


ROUTES = [
    ("GET", "", None),
    ("PATCH", "", {}),
    ("DELETE", "", None),
    ("GET", "/versions", None),
    ("POST", "/copy", None),
    ("GET", "/export", None),
    ("POST", "/runs", {}),
    ("GET", "/runs", None),
    ("POST", "/dry-run", {}),
]


@pytest.mark.parametrize("bad", ["*", "a.b", "x" * 65, "a%20b", "ä"])
async def test_an_id_that_is_none_is_an_unknown_one(edge: OwnEdge, bad: str) -> None:
    for method, path, body in ROUTES:
        response = await edge.http.request(method, f"/v1/assistants/{bad}{path}", json=body)
        assert_problem(response, 404, "unknown_assistant")
    assert edge.asked == []

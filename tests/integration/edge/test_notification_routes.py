"""Notifications over HTTP: what notifier is asked, and what becomes of its answers."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from contracts import notifier_values as values
from contracts.chat_values import RunPage
from contracts.message import Problem
from contracts.notifier_examples import NOTIFIER_EXCHANGES
from kit.auth.principal import Principal
from tests.fixtures.own_edge import TENANT, USER, OwnEdge
from tests.fixtures.problems import assert_problem

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NTF, RUN = "ntf_01k3x9v4t2p7q8r5s6w0y1z2ab", "arc_01k3x9v4t2p7q8r5s6w0y1z2ab"
BASE = "/v1/notifications"
OWNER = {"tenant": Principal(TENANT, USER).tenant_token, "user": Principal(TENANT, USER).user_token}


def replied(verb: str) -> Any:
    """The reply of the catalogue's example."""
    return next(reply for request, reply in NOTIFIER_EXCHANGES if verb == request.VERB)


def serve(edge: OwnEdge, verb: str) -> Any:
    """Answer like the catalogue; returns the body that the client is to get."""
    reply = replied(verb)
    edge.answers[f"notifier.{verb}"] = lambda _: reply
    return json.loads(reply.model_dump_json())


async def sent(edge: OwnEdge, method: str, path: str, body: Any) -> httpx.Response:
    """Also what is no JSON to httpx."""
    return await edge.http.request(method, path, content=json.dumps(body), headers={"content-type": "application/json"})


async def test_preferences_are_looked_at_and_changed(edge: OwnEdge) -> None:
    whole = serve(edge, "get_preferences")
    response = await edge.http.get(f"{BASE}/preferences")
    assert (response.status_code, response.json()) == (200, whole)
    assert edge.asked[-1] == ("notifier.get_preferences", {"owner": OWNER})
    serve(edge, "update_preferences")
    for change in (
        {"policy": "never"},
        {"longer_than_seconds": 0},
        {"email": False, "webhook": True},
        {},
    ):
        response = await edge.http.patch(f"{BASE}/preferences", json=change)
        assert (response.status_code, response.json()) == (200, whole)
        assert edge.asked[-1] == ("notifier.update_preferences", {"owner": OWNER, **change})


@pytest.mark.parametrize(
    "wrong",
    [
        {"policy": "sometimes"},
        {"policy": ["never"]},
        {"longer_than_seconds": -1},
        {"longer_than_seconds": "soon"},
        {"longer_than_seconds": float("inf")},
        {"longer_than_seconds": float("nan")},
        {"longer_than_seconds": 1e12},
        {"email": "perhaps"},
        {"address": "eve@example.com"},
        [],
        "x",
        None,
    ],
)
async def test_preferences_that_make_no_sense_are_refused(edge: OwnEdge, wrong: Any) -> None:
    assert_problem(await sent(edge, "PATCH", f"{BASE}/preferences", wrong), 422, "invalid_request")
    assert edge.asked == []


async def test_a_page_of_notifications_is_listed(edge: OwnEdge) -> None:
    whole = serve(edge, "list_notifications")
    response = await edge.http.get(BASE)
    assert (response.status_code, response.json()) == (200, whole)
    assert edge.asked[-1] == ("notifier.list_notifications", {"owner": OWNER, "limit": 50})
    await edge.http.get(BASE, params={"limit": 7, "before": NTF, "run_id": RUN})
    asked = {"owner": OWNER, "limit": 7, "before": NTF, "run_id": RUN}
    assert edge.asked[-1] == ("notifier.list_notifications", asked)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("limit=0", 422, "invalid_request"),
        ("limit=201", 422, "invalid_request"),
        ("limit=x", 422, "invalid_request"),
        ("before=a.b", 400, "invalid_cursor"),
        ("before=*", 400, "invalid_cursor"),
        ("before=", 400, "invalid_cursor"),
        ("run_id=other_1", 404, "unknown_run"),
        ("run_id=arc_*", 404, "unknown_run"),
        ("run_id=", 404, "unknown_run"),
    ],
)
async def test_a_page_that_makes_no_sense_is_refused(edge: OwnEdge, query: str, status: int, code: str) -> None:
    assert_problem(await edge.http.get(f"{BASE}?{query}"), status, code)
    assert edge.asked == []


async def test_a_notification_is_sent_once_more(edge: OwnEdge) -> None:
    whole = serve(edge, "retry_notification")
    response = await edge.http.post(f"{BASE}/{NTF}/retry")
    assert (response.status_code, response.json()) == (200, whole)
    assert edge.asked[-1] == ("notifier.retry_notification", {"owner": OWNER, "notification_id": NTF})
    edge.answers["notifier.retry_notification"] = lambda _: Problem(code="unknown_notification", message="no")
    assert_problem(await edge.http.post(f"{BASE}/{NTF}/retry"), 404, "unknown_notification")
    edge.asked.clear()
    for wrong in ("a.b", "*", "%3E", "x" * 65):
        assert_problem(await edge.http.post(f"{BASE}/{wrong}/retry"), 404, "unknown_notification")
    assert edge.asked == []


async def test_while_notifier_is_away_it_says_so(edge: OwnEdge) -> None:
    asked: list[tuple[str, str, Any]] = [
        ("GET", "/preferences", None),
        ("PATCH", "/preferences", {}),
        ("GET", "", None),
        ("POST", f"/{NTF}/retry", None),
        ("GET", "/webhooks", None),
        ("POST", "/webhooks", {"url": "https://example.com"}),
        ("PATCH", "/webhooks/whk_1", {}),
        ("DELETE", "/webhooks/whk_1", None),
        ("POST", "/webhooks/whk_1/secret", None),
    ]
    for response in await asyncio.gather(
        *(edge.http.request(method, BASE + path, json=body) for method, path, body in asked)
    ):
        assert_problem(response, 503, "unavailable")


async def test_nobody_is_told_anything_without_a_token(edge: OwnEdge) -> None:
    for path in ("", "/preferences", "/webhooks"):
        response = await edge.http.get(BASE + path, headers={"authorization": ""})
        assert_problem(response, 401, "unauthenticated")


async def test_an_edge_is_ready_without_notifier(edge: OwnEdge) -> None:
    for service in ("chat", "compare", "architect"):
        edge.answers[f"{service}.list_runs"] = lambda _: RunPage(items=())
    parts = (await edge.http.get("/readyz")).json()["parts"]
    assert {name for name, there in parts.items() if not there} == {"inference"}, "nobody is that here"


def test_the_examples_have_every_field() -> None:
    """Else the comparison of bodies above would say little."""
    assert set(replied("get_preferences").model_fields_set) == set(values.Preferences.model_fields)

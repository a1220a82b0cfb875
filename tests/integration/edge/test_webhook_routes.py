"""Webhooks over HTTP: what notifier is asked, and where a secret is told and where not."""

from typing import Any

import pytest

from contracts.chat_values import Deleted
from contracts.message import Problem
from tests.fixtures.own_edge import OwnEdge
from tests.fixtures.problems import assert_problem
from tests.integration.edge.test_notification_routes import NOW, OWNER, replied, sent, serve

WHK, HOOKS = "whk_01k3x9v4t2p7q8r5s6w0y1z2ab", "/v1/notifications/webhooks"
URL = "https://example.com/hook"


def made(body: dict[str, Any]) -> Any:
    return replied("add_webhook").model_copy(update={"id": body["webhook_id"], "url": body["url"], "created_at": NOW})


async def test_a_webhook_is_added_and_its_secret_told_once(edge: OwnEdge) -> None:
    edge.answers["notifier.add_webhook"] = made
    response = await edge.http.post(HOOKS, json={"url": URL, "description": "D"})
    name, command = edge.asked[-1]
    assert (response.status_code, name) == (201, "notifier.add_webhook")
    key = command["webhook_id"]
    assert command == {"owner": OWNER, "webhook_id": key, "url": URL, "description": "D"}
    assert (response.json()["id"], response.headers["location"]) == (key, f"{HOOKS}/{key}")
    assert response.json()["secret"].startswith("whsec_")
    assert response.headers["cache-control"] == "no-store"


async def test_the_same_key_adds_one_webhook(edge: OwnEdge) -> None:
    edge.answers["notifier.add_webhook"] = made
    ids = []
    for key in ("a", "a", "b", None, None):
        headers = {} if key is None else {"idempotency-key": key}
        ids.append((await edge.http.post(HOOKS, json={"url": URL}, headers=headers)).json()["id"])
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"url": ""},
        {"url": None},
        {"url": ["https://example.com"]},
        {"url": "https://example.com/" + "x" * 2_000},
        {"url": "https://\ud800"},
        {"url": URL, "description": "\ud800"},
        {"url": URL, "description": "x" * 1_001},
        {"url": URL, "secret": "whsec_mine"},
        {"url": URL, "enabled": False},
        [],
        None,
    ],
)
async def test_a_body_that_makes_no_sense_is_refused_before_notifier_is_asked(edge: OwnEdge, wrong: Any) -> None:
    assert_problem(await sent(edge, "POST", HOOKS, wrong), 422, "invalid_request")
    assert edge.asked == []


@pytest.mark.parametrize(
    ("code", "status"), [("invalid_webhook", 422), ("too_many_webhooks", 409), ("idempotency_conflict", 409)]
)
async def test_what_notifier_refuses_is_told(edge: OwnEdge, code: str, status: int) -> None:
    edge.answers["notifier.add_webhook"] = lambda _: Problem(code=code, message="no")
    assert_problem(await edge.http.post(HOOKS, json={"url": "http://user:pass@10.0.0.1"}), status, code)


async def test_webhooks_are_listed_changed_and_deleted(edge: OwnEdge) -> None:
    whole = serve(edge, "list_webhooks")
    assert (await edge.http.get(HOOKS)).json() == whole
    assert edge.asked[-1] == ("notifier.list_webhooks", {"owner": OWNER})
    whole = serve(edge, "update_webhook")
    for change in ({"enabled": False}, {"url": URL, "description": ""}, {}):
        response = await edge.http.patch(f"{HOOKS}/{WHK}", json=change)
        assert (response.status_code, response.json()) == (200, whole)
        assert edge.asked[-1] == ("notifier.update_webhook", {"owner": OWNER, "webhook_id": WHK, **change})
    edge.answers["notifier.delete_webhook"] = lambda _: Deleted()
    response = await edge.http.delete(f"{HOOKS}/{WHK}")
    assert (response.status_code, response.content) == (204, b"")
    assert edge.asked[-1] == ("notifier.delete_webhook", {"owner": OWNER, "webhook_id": WHK})


async def test_a_secret_is_replaced_and_a_webhook_tried(edge: OwnEdge) -> None:
    for verb, path in (("rotate_secret", "secret"), ("try_webhook", "try")):
        whole = serve(edge, verb)
        response = await edge.http.post(f"{HOOKS}/{WHK}/{path}")
        assert (response.status_code, response.json()) == (200, whole)
        assert edge.asked[-1] == (f"notifier.{verb}", {"owner": OWNER, "webhook_id": WHK})
        assert (response.headers.get("cache-control") == "no-store") == (path == "secret")


@pytest.mark.parametrize(("method", "path"), [("PATCH", ""), ("DELETE", ""), ("POST", "/secret"), ("POST", "/try")])
async def test_an_unknown_webhook_is_unknown_and_so_is_what_is_no_id(edge: OwnEdge, method: str, path: str) -> None:
    for verb in ("update_webhook", "delete_webhook", "rotate_secret", "try_webhook"):
        edge.answers[f"notifier.{verb}"] = lambda _: Problem(code="unknown_webhook", message="no")
    body = {} if method == "PATCH" else None
    for wrong in (WHK, "a.b", "*", "%3E", "x" * 65):
        response = await edge.http.request(method, f"{HOOKS}/{wrong}{path}", json=body)
        assert_problem(response, 404, "unknown_webhook")
    assert len(edge.asked) == 1


@pytest.mark.parametrize("wrong", [{"url": ""}, {"url": "x" * 2_001}, {"enabled": "x"}, {"secret": "s"}, [], None])
async def test_a_change_that_makes_no_sense_is_refused(edge: OwnEdge, wrong: Any) -> None:
    assert_problem(await sent(edge, "PATCH", f"{HOOKS}/{WHK}", wrong), 422, "invalid_request")
    assert edge.asked == []

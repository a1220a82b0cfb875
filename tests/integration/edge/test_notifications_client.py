"""Our own Python client and notifications: preferences, what was told, and webhooks."""

import asyncio
from typing import Any

import pytest

from contracts.chat_values import Deleted
from contracts.message import Problem
from contracts.notifier_values import NotificationPage
from studio_client import ApiError, Studio
from studio_client.notifications import Notifications
from tests.fixtures.own_edge import OwnEdge
from tests.integration.edge.test_notification_routes import NTF, OWNER, RUN, replied, serve
from tests.integration.edge.test_webhook_routes import URL, WHK, made


@pytest.fixture
def notifications(edge: OwnEdge) -> Notifications:
    return Studio("http://edge", http=edge.http).notifications


async def test_preferences(edge: OwnEdge, notifications: Notifications) -> None:
    whole = serve(edge, "get_preferences")
    assert await notifications.preferences() == whole
    serve(edge, "update_preferences")
    assert await notifications.update_preferences(policy="always", email=False) == whole
    assert edge.asked[-1][1] == {"owner": OWNER, "policy": "always", "email": False}


async def test_what_was_told_is_listed_over_all_pages(edge: OwnEdge, notifications: Notifications) -> None:
    (one,) = replied("list_notifications").items
    edge.answers["notifier.list_notifications"] = lambda body: NotificationPage(
        items=(one,), next=None if body.get("before") else NTF
    )
    found = [each["id"] async for each in notifications.all(run_id=RUN, limit=1)]
    assert found == [one.id, one.id]
    assert edge.asked[-1][1] == {"owner": OWNER, "limit": 1, "before": NTF, "run_id": RUN}
    serve(edge, "retry_notification")
    assert (await notifications.retry(NTF))["id"] == one.id


async def test_webhooks(edge: OwnEdge, notifications: Notifications) -> None:
    edge.answers["notifier.add_webhook"] = made
    added = await notifications.add_webhook(URL, "Ours")
    assert (added["url"], added["secret"][:6]) == (URL, "whsec_")
    assert edge.asked[-1][1]["description"] == "Ours"
    ids = {(await notifications.add_webhook(URL, key=key))["id"] for key in ("a", "a", "b")}
    assert len(ids) == 2
    serve(edge, "list_webhooks")
    assert len(await notifications.webhooks()) == 1
    serve(edge, "update_webhook")
    await notifications.update_webhook(WHK, enabled=False)
    assert edge.asked[-1][1] == {"owner": OWNER, "webhook_id": WHK, "enabled": False}
    serve(edge, "rotate_secret")
    assert (await notifications.rotate_secret(WHK))["secret"]
    serve(edge, "try_webhook")
    assert (await notifications.try_webhook(WHK))["status"] == 500
    edge.answers["notifier.delete_webhook"] = lambda _: Deleted()
    await notifications.delete_webhook(WHK)
    edge.answers["notifier.delete_webhook"] = lambda _: Problem(code="unknown_webhook", message="no")
    for unknown in (WHK, "../preferences", "a/b"):
        with pytest.raises(ApiError) as refused:
            await notifications.delete_webhook(unknown)
        assert refused.value.status == 404


async def test_a_run_says_what_it_wants(edge: OwnEdge) -> None:
    asked: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def start(body: dict[str, Any]) -> Problem:
        asked.set_result(body)
        return Problem(code="unknown_model", message="no")

    edge.answers["chat.send_message"] = start
    with pytest.raises(ApiError):
        await Studio("http://edge", http=edge.http).send("Hello", notify="always").start()
    assert asked.result()["notify"] == "always"

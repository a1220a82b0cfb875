"""Close the laptop: with the product as it runs, over HTTP, and with mails as files."""

import email
import email.policy
import itertools
import os
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from tests.assistants.model import MODELS
from tests.fixtures.events import follow
from tests.fixtures.polling import until
from tests.fixtures.problems import assert_problem
from tests.fixtures.stack import Stack

_numbers = itertools.count(1)


@pytest.fixture
def address() -> str:
    return f"user-{next(_numbers)}-{os.getpid()}@example.com"


@pytest.fixture
async def http(stack: Stack, address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with stack.client(email=address) as client:
        yield client


def mails(stack: Stack, address: str) -> list[EmailMessage]:
    """What was written to this address."""
    found = []
    for path in (stack.folder / "mail").glob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        if address in str(message["To"]):
            found.append(message)
    return found


async def decided(http: httpx.AsyncClient, run_id: str, status: str) -> dict[str, Any]:
    """The notification of a run, when it is so."""

    async def look() -> dict[str, Any] | None:
        items = (await http.get("/v1/notifications", params={"run_id": run_id})).json()["items"]
        return items[0] if items and items[0]["status"] == status else None

    found = await until(look)
    assert found is not None
    return found


def text(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


async def test_a_message_that_nobody_waited_for_comes_by_mail_and_one_that_was_watched_does_not(
    stack: Stack, http: httpx.AsyncClient, address: str
) -> None:
    wish = {"content": "Hello", "model": "demo-swift", "notify": "when_away"}
    away = (await http.post("/v1/conversations/new/messages", json=wish)).json()
    watched = (await http.post("/v1/conversations/new/messages", json=wish)).json()
    told = await follow(http, watched["events_url"])
    assert told.types[-1] == "run.completed"
    await decided(http, away["run_id"], "sent")
    kept = await decided(http, watched["run_id"], "not_sent")
    assert kept["reason"]["code"] == "watched"
    [mail] = mails(stack, address)
    answer = (await http.get(f"/v1/runs/{away['run_id']}")).json()
    assert answer["text"].split()[0] in text(mail, "plain")
    assert away["run_id"] in text(mail, "plain")
    assert away["run_id"] in text(mail, "html")


async def test_a_run_of_an_assistant_comes_with_its_steps_and_a_step_that_waits_says_so(
    stack: Stack, http: httpx.AsyncClient, address: str
) -> None:
    steps = [
        {"name": "draft", "title": "First draft", "prompt": "Say hello.", "model": "demo-swift"},
        {
            "name": "last",
            "title": "Last words",
            "prompt": "${draft.output}",
            "model": "demo-swift",
            "approval": {"instructions": "Is it polite?"},
        },
    ]
    made = await http.post("/v1/assistants", json={"name": "Greeting", "definition": {"steps": steps}})
    assert made.status_code == 201, made.text
    started = await http.post(f"/v1/assistants/{made.json()['id']}/runs", json={"inputs": {}, "notify": "when_away"})
    run_id = started.json()["run_id"]
    asked = await decided(http, run_id, "sent")
    assert (asked["occasion"], asked["step"]) == ("approval", "last")
    [question] = mails(stack, address)
    assert "Is it polite?" in text(question, "plain")

    approved = await http.post(f"/v1/runs/{run_id}/steps/last/approval", json={"decision": "approve"})
    assert approved.status_code == 200, approved.text

    async def ended() -> bool:
        items = (await http.get("/v1/notifications", params={"run_id": run_id})).json()["items"]
        return [item["status"] for item in items if item["occasion"] == "ended"] == ["sent"]

    await until(ended)
    both = {str(mail["Subject"]): mail for mail in mails(stack, address)}
    assert len(both) == 2
    [done] = [mail for subject, mail in both.items() if subject != str(question["Subject"])]
    assert "Greeting" in str(done["Subject"])
    assert all(title in text(done, "html") for title in ("First draft", "Last words"))


async def test_a_blind_comparison_is_told_without_a_name(stack: Stack, http: httpx.AsyncClient, address: str) -> None:
    models = list(MODELS[:2])  # they do not say their names, as the demo models do
    body = {"prompt": "Hello", "models": models, "blind": True, "notify": "always"}
    run_id = (await http.post("/v1/comparisons", json=body)).json()["run_id"]
    await decided(http, run_id, "sent")
    [mail] = mails(stack, address)
    said = mail.as_string() + text(mail, "plain") + text(mail, "html")
    assert not [name for name in models if name in said]


async def test_one_click_ends_it_and_the_page_before_does_not(
    stack: Stack, http: httpx.AsyncClient, address: str
) -> None:
    wish = {"content": "Hello", "model": "demo-swift", "notify": "always"}
    first = (await http.post("/v1/conversations/new/messages", json=wish)).json()
    await decided(http, first["run_id"], "sent")
    [mail] = mails(stack, address)
    link = str(mail["List-Unsubscribe"]).strip("<>")
    path = "/unsubscribe/" + link.rpartition("/")[2]
    async with httpx.AsyncClient(base_url=stack.url, trust_env=False) as stranger:
        page = await stranger.get(path)
        assert page.status_code == 200
        assert (await http.get("/v1/notifications/preferences")).json()["email"] is True
        clicked = await stranger.post(path, data={"List-Unsubscribe": "One-Click"})
        assert clicked.status_code == 200, clicked.text
    assert (await http.get("/v1/notifications/preferences")).json()["email"] is False
    second = (await http.post("/v1/conversations/new/messages", json=wish)).json()
    kept = await decided(http, second["run_id"], "not_sent")
    assert (kept["reason"]["code"], len(mails(stack, address))) == ("unsubscribed", 1)


async def test_nobody_sees_or_sends_again_what_somebody_else_was_told(stack: Stack, http: httpx.AsyncClient) -> None:
    wish = {"content": "Hello", "model": "demo-swift", "notify": "always"}
    run = (await http.post("/v1/conversations/new/messages", json=wish)).json()
    found = await decided(http, run["run_id"], "sent")
    async with stack.client() as stranger:
        assert (await stranger.get("/v1/notifications")).json()["items"] == []
        assert (await stranger.get("/v1/notifications", params={"run_id": run["run_id"]})).json()["items"] == []
        refused = await stranger.post(f"/v1/notifications/{found['id']}/retry")
        assert_problem(refused, 404, "unknown_notification")
        assert (await stranger.get("/v1/notifications/preferences")).json()["address"] is None

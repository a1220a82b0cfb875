"""Who looks at a run that has ended has seen its end, at whatever address; who looks at one that goes on has not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts import chat_values, events
from contracts.architect_values import AssistantRun
from contracts.chat_values import Run
from contracts.compare import Comparison
from kit.ids import new_id
from tests.fixtures import run_events
from tests.fixtures.own_edge import OwnEdge
from tests.fixtures.presence import presence, until_seen
from tests.integration.edge.test_assistant_run_routes import a_run

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONVERSATION = "conv_01k3x9v4t2n3p4q5r6s7t8v9wx"


def a_chat(run_id: str, **fields: Any) -> Run:
    return Run(**{"id": run_id, "kind": "chat", "status": "completed", "model": "m", "created_at": NOW, **fields})


def an_assistants(run_id: str, **fields: Any) -> AssistantRun:
    return a_run(id=run_id, **fields)


def a_comparison(run_id: str, **fields: Any) -> Comparison:
    return Comparison(**{"id": run_id, "title": "", "status": "completed", "created_at": NOW, **fields})


KINDS: dict[str, tuple[str, str, str, Any]] = {
    "chat": ("chat", "/v1/runs/{run}", "chat.get_run", a_chat),
    "newest of a conversation": (
        "chat",
        f"/v1/conversations/{CONVERSATION}/runs/latest",
        "chat.latest_run",
        a_chat,
    ),
    "comparison": ("cmp", "/v1/comparisons/{run}", "compare.get_comparison", a_comparison),
    "assistant": (
        "arc",
        "/v1/runs/{run}/steps",
        "architect.get_assistant_run",
        an_assistants,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_snapshot_tells_the_end_if_there_is_one(edge: OwnEdge, kind: str) -> None:
    prefix, path, asked, made = KINDS[kind]
    run_id = new_id(prefix)
    edge.answers[asked] = lambda _: made(run_id, status="running", ended_at=None)
    assert (await edge.http.get(path.format(run=run_id))).status_code == 200
    assert await presence(edge.bus, run_id) is None
    edge.answers[asked] = lambda _: made(run_id, ended_at=NOW)
    assert (await edge.http.get(path.format(run=run_id))).status_code == 200
    await until_seen(edge, run_id)


def message(run_id: str, role: str, **fields: Any) -> chat_values.ChatMessage:
    known: dict[str, Any] = {"id": new_id("msg"), "conversation_id": CONVERSATION, "role": role, "content": "Hello"}
    return chat_values.ChatMessage(**{**known, "status": "completed", "run_id": run_id, "created_at": NOW, **fields})


async def test_the_newest_answer_of_a_conversation_is_seen_with_its_messages(edge: OwnEdge) -> None:
    """A page that was reloaded asks for nothing else, once the answer is there."""
    old, new, waiting = new_id("chat"), new_id("chat"), new_id("chat")
    told = [message(old, "user"), message(old, "assistant"), message(new, "user"), message(new, "assistant")]
    told.append(message(waiting, "user", status="queued"))
    for more, seen in (("msg_1", False), (None, True)):
        page = chat_values.MessagePage(items=tuple(told), next=more)
        edge.answers["chat.list_messages"] = lambda _, page=page: page
        assert (await edge.http.get(f"/v1/conversations/{CONVERSATION}/messages")).status_code == 200
        if seen:
            await until_seen(edge, new)
        assert (await presence(edge.bus, new) is not None) == seen
    for run_id in (old, waiting):
        assert await presence(edge.bus, run_id) is None


async def test_a_run_that_is_told_from_the_tables_is_seen(edge: OwnEdge) -> None:
    run_id = new_id("chat")
    log = (run_events.created(), run_events.answered("Hello"), run_events.completed())
    stored = tuple(events.encode(event).decode() for event in log)
    edge.answers["chat.replay_run"] = lambda _: chat_values.StoredRun(run=a_chat(run_id, ended_at=NOW), events=stored)
    response = await edge.http.get(f"/v1/runs/{run_id}/events")
    assert (response.status_code, response.text.count("event: run.completed")) == (200, 1)
    await until_seen(edge, run_id)

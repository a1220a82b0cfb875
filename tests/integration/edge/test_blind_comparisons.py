"""A blind comparison at the edge: before the vote nobody is told whose an answer is, whatever the log says."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts import events
from contracts.chat_values import Run, StoredRun
from contracts.compare_values import ComparisonStarted
from contracts.message import Problem
from kit.ids import new_id
from kit.runtime.embedded_nats import EmbeddedNats
from tests.fixtures import compare_log as log
from tests.fixtures.events import Event, follow, parse
from tests.fixtures.own_edge import OwnEdge, own_edge

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GET = "compare.get_run"


def blind_id() -> str:
    return f"{new_id('cmp')}_blind"


def comparison(*, revealed: bool) -> Any:
    return lambda body: Run(
        id=body["run_id"], kind="compare", status="completed", model="", revealed=revealed, created_at=NOW
    )


def words(told: list[Event]) -> dict[str, str]:
    """The text of each lane by its ending."""
    return {each.data["lane"]: each.data["text"] for each in told if each.type.startswith("generation.") and "text" in
            each.data and "attempt" in each.data}  # fmt: skip


async def test_before_the_vote_the_stream_says_nothing_and_after_it_everything(edge: OwnEdge) -> None:
    run_id = blind_id()
    await edge.write(run_id, *log.comparison(run_id))
    edge.answers[GET] = comparison(revealed=False)
    before = await follow(edge.http, f"/v1/runs/{run_id}/events")
    assert not log.tells_whose(before.raw)
    assert words(before.events) == {log.ONE: "Hello", log.TWO: "Grüße"}
    assert before.types[-1] == "run.completed"
    edge.answers[GET] = comparison(revealed=True)
    after = await follow(edge.http, f"/v1/runs/{run_id}/events")
    assert log.MODEL.encode() in after.raw
    assert words(after.events) == words(before.events)
    assert [each.id for each in before.events] == [
        each.id
        for each in after.events
        if each.type not in ("generation.reasoning", "generation.attached", "generation.tool_call")
    ]


@pytest.mark.parametrize("answer", [None, "refused"])
async def test_when_compare_does_not_say_it_is_hidden(edge: OwnEdge, answer: str | None) -> None:
    run_id = blind_id()
    await edge.write(run_id, *log.comparison(run_id))
    if answer:
        edge.answers[GET] = lambda _: Problem(code="unavailable", message=log.WHOSE)
    told = await follow(edge.http, f"/v1/runs/{run_id}/events")
    assert told.types[-1] == "run.completed"
    assert not log.tells_whose(told.raw)


async def test_told_in_short_and_from_every_cursor_it_is_hidden_too(edge: OwnEdge) -> None:
    run_id = blind_id()
    edge.answers[GET] = comparison(revealed=False)
    begun = [log.created(run_id), log.started(log.ONE), log.thought(), log.said("Hel")]
    places = await edge.write(run_id, *begun)
    await edge.write(run_id, log.snapshot("Hel", covers=places[-1]))
    rest = [
        log.said("lo"),
        log.started(log.TWO),
        log.failed("", log.TWO),
        log.completed("Hello"),
        log.run_completed(run_id),
    ]
    await edge.write(run_id, *rest)
    told = await follow(edge.http, f"/v1/runs/{run_id}/events")
    assert not log.tells_whose(told.raw)
    assert words(told.events)[log.ONE] == "Hello"
    epoch = told.events[-1].id.partition("-")[0]
    for place in places:
        tail = await follow(edge.http, f"/v1/runs/{run_id}/events", after=f"{epoch}-{place}")
        assert not log.tells_whose(tail.raw)
        assert tail.types[-1] == "run.completed"


async def test_a_run_that_goes_on_is_hidden_and_compare_is_not_asked(edge: OwnEdge) -> None:
    run_id = blind_id()
    whole = log.comparison(run_id)
    await edge.write(run_id, *whole[:5])
    edge.answers[GET] = comparison(revealed=True)  # it cannot be: there is no vote before the end
    following = asyncio.create_task(follow(edge.http, f"/v1/runs/{run_id}/events"))
    for event in whole[5:]:
        await edge.write(run_id, event)
    told = await following
    assert not log.tells_whose(told.raw)
    assert words(told.events) == {log.ONE: "Hello", log.TWO: "Grüße"}
    assert edge.asked == []


async def test_the_stream_of_the_request_that_starts_it_is_hidden(edge: OwnEdge) -> None:
    begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def start(body: dict[str, Any]) -> ComparisonStarted:
        begun.set_result(body["run_id"])
        return ComparisonStarted(run_id=body["run_id"])

    edge.answers["compare.start_comparison"] = start
    body = {"prompt": "Hello", "models": ["one", "two"], "blind": True}
    headers = {"accept": "text/event-stream"}
    posting = asyncio.create_task(edge.http.post("/v1/comparisons", json=body, headers=headers))
    run_id = await begun
    assert run_id.endswith("_blind")
    await edge.write(run_id, *log.comparison(run_id))
    response = await posting
    assert response.headers["location"] == f"/v1/runs/{run_id}"
    assert not log.tells_whose(response.content)
    assert words(parse(response.content)) == {log.ONE: "Hello", log.TWO: "Grüße"}


async def test_what_is_stored_of_it_is_hidden_and_told_after_the_vote(edge: OwnEdge) -> None:
    run_id = blind_id()
    stored = tuple(events.encode(event).decode() for event in log.comparison(run_id))
    run = Run(id=run_id, kind="compare", status="completed", model="", revealed=False, created_at=NOW, ended_at=NOW)
    edge.answers["compare.replay_run"] = lambda _: StoredRun(run=run, events=stored)
    before = await follow(edge.http, f"/v1/runs/{run_id}/events")
    assert not log.tells_whose(before.raw)
    assert words(before.events) == {log.ONE: "Hello", log.TWO: "Grüße"}
    voted = run.model_copy(update={"revealed": True})
    edge.answers["compare.replay_run"] = lambda _: StoredRun(run=voted, events=stored)
    after = await follow(edge.http, f"/v1/runs/{run_id}/events")
    assert log.MODEL.encode() in after.raw


async def test_a_comparison_that_is_not_blind_is_told_as_it_is_and_nobody_is_asked(edge: OwnEdge) -> None:
    run_id = new_id("cmp")
    whole = log.comparison(run_id)
    await edge.write(run_id, *whole)
    told = await follow(edge.http, f"/v1/runs/{run_id}/events")
    assert [event.type for event in told.events] == [events.type_of(event) for event in whole]
    assert told.raw.count(log.MODEL.encode()) >= 2
    assert edge.asked == []


async def test_a_long_thought_that_nobody_is_told_is_a_silence_with_heartbeats(own_nats: EmbeddedNats) -> None:
    async with own_edge(own_nats.url, heartbeat_seconds=0.2) as edge:
        run_id = blind_id()
        await edge.write(run_id, log.created(run_id))
        following = asyncio.create_task(follow(edge.http, f"/v1/runs/{run_id}/events"))
        for _ in range(30):
            await edge.write(run_id, log.thought())
            await asyncio.sleep(0.03)
        await edge.write(run_id, log.completed("Hello"), log.run_completed(run_id))
        told = await following
        assert told.raw.count(b": hb\n") >= 2
        assert not log.tells_whose(told.raw)

"""Who watches a run and who has seen its end, as the edges tell the notifier over the real bus."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.chat_values import RunStarted
from contracts.message import Problem
from contracts.session import Presence
from kit.auth.tokens import sign_token
from kit.ids import new_id
from kit.runlog.lane import RunKey
from kit.settings import AuthSettings
from services.edge import presence as edge_presence
from services.edge.presence import Audience
from tests.fixtures import assistant_log
from tests.fixtures import run_events as run
from tests.fixtures.own_edge import SECRET, TENANT, OwnEdge, listening, own_edge
from tests.fixtures.polling import until
from tests.fixtures.presence import (
    begun,
    deaf,
    ended,
    everybodys,
    get,
    presence,
    until_nobody,
    until_seen,
    until_watched,
    watching,
)
from tests.fixtures.problems import assert_problem
from tests.fixtures.raw_http import connection

UNREAD_CHARACTERS = 24_000
"""More than the client's window, and less than what the kernel keeps for it: it is all written, and not confirmed."""


@pytest.fixture
async def url(edge: OwnEdge) -> AsyncIterator[str]:
    async with listening(edge) as address:
        yield address


async def test_open_streams_are_counted_and_a_client_that_is_cut_off_is_none(edge: OwnEdge, url: str) -> None:
    run_id, before = await begun(edge), len(edge.gateway.audience)
    assert await presence(edge.bus, run_id) is None
    async with watching(edge, url, run_id):
        await until_watched(edge, run_id)
        async with watching(edge, url, run_id):
            await until_watched(edge, run_id, 2)
        await until_watched(edge, run_id)
    await until_nobody(edge, run_id)
    await ended(edge, run_id)
    assert await presence(edge.bus, run_id) is None
    assert len(edge.gateway.audience) <= before, "runs that other tests have seen are forgotten meanwhile"


@pytest.mark.parametrize("kept", ["keep-alive", "close"])
async def test_an_end_that_has_reached_its_client_is_seen(edge: OwnEdge, url: str, kept: str) -> None:
    run_id = await begun(edge)
    async with watching(edge, url, run_id, connection=kept) as reader:
        await ended(edge, run_id)
        await reader.readuntil(b"\r\n0\r\n\r\n")
        if kept == "close":
            assert await reader.read() == b"", "the connection is closed, though its end is still being confirmed"
        await until_seen(edge, run_id)
    await until_seen(edge, run_id)


async def test_a_client_that_hangs_up_after_the_end_has_seen_it(edge: OwnEdge, url: str) -> None:
    run_id = await begun(edge)
    async with watching(edge, url, run_id) as reader:
        await ended(edge, run_id)
        await reader.readuntil(b"event: run.completed")
    await until_seen(edge, run_id)


async def test_an_end_that_nobody_reads_is_not_seen(edge: OwnEdge) -> None:
    """A closed laptop: the connection looks open, and nothing that is sent is confirmed."""
    async with own_edge(edge.gateway.settings.nats.url[0], unacknowledged_seconds=1) as other, listening(other) as url:
        run_id = await begun(other)
        async with deaf(other, url, run_id):
            await until_watched(other, run_id)
            await ended(other, run_id, "x" * UNREAD_CHARACTERS)

            async def written() -> bool:
                return len(other.gateway.streams) == 0

            await until(written)
            if sys.platform == "linux":
                assert await presence(other.bus, run_id) == Presence(watching=1), "it is on its way"
            await until_nobody(other, run_id)


async def test_a_client_that_takes_nothing_is_cut_off_and_has_not_seen_the_end(edge: OwnEdge) -> None:
    async with own_edge(edge.gateway.settings.nats.url[0], unacknowledged_seconds=1) as other, listening(other) as url:
        run_id = await begun(other)
        async with deaf(other, url, run_id):
            await until_watched(other, run_id)
            await other.write(run_id, *(run.said("x" * 50_000) for _ in range(20)))
            await ended(other, run_id)
            await until_nobody(other, run_id)
        assert len(other.gateway.streams) == 0


async def test_a_stream_that_ends_with_its_server_has_not_seen_the_end(edge: OwnEdge) -> None:
    async with own_edge(edge.gateway.settings.nats.url[0]) as other, listening(other) as url:
        run_id = await begun(other)
        async with watching(other, url, run_id) as reader:
            await until_watched(other, run_id)
            await other.gateway.streams.drain(0)
            await reader.readuntil(b"\r\n0\r\n\r\n")
            await until_nobody(other, run_id)


async def test_what_was_seen_is_forgotten_after_a_while(edge: OwnEdge) -> None:
    async with own_edge(edge.gateway.settings.nats.url[0], seen_seconds=1) as other:
        run_id = await begun(other)
        await ended(other, run_id)
        assert (await other.http.get(f"/v1/runs/{run_id}/events")).status_code == 200
        await until_seen(other, run_id)
        await until_nobody(other, run_id)
        assert len(other.gateway.audience) == 0


async def test_who_asks_for_what_follows_the_end_has_seen_it(edge: OwnEdge) -> None:
    run_id = await begun(edge)
    places = await edge.write(run_id, run.answered("Hello"), run.completed())
    for place in places:
        cursor = f"{edge.gateway.reads.epoch}-{place}"
        answer = await edge.http.get(f"/v1/runs/{run_id}/events", headers={"last-event-id": cursor})
    assert (answer.status_code, answer.content) == (204, b"")
    await until_seen(edge, run_id)


async def test_streams_of_other_protocols_are_watched_and_seen_too(edge: OwnEdge, url: str) -> None:
    run_id = new_id("arc")
    told = assistant_log.run(run_id)
    await edge.write(run_id, *told[:-1])
    async with connection(url) as (reader, writer):
        writer.write(get(edge, f"/api/assistants/asst_1/stream?run={run_id}"))
        await reader.readuntil(b'"type":"text-delta"')
        await until_watched(edge, run_id)
        await edge.write(run_id, told[-1])
        await reader.readuntil(b"[DONE]")
        await until_seen(edge, run_id)


async def test_who_waits_for_a_whole_answer_watches_and_sees_it(edge: OwnEdge) -> None:
    begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def start(body: dict[str, Any]) -> RunStarted:
        begun.set_result(body["run_id"])
        return RunStarted(run_id=body["run_id"], conversation_id="conv_1", message_id="msg_1")

    edge.answers["chat.start_completion"] = start
    body = {"model": "sage", "messages": [{"role": "user", "content": "Hello"}]}
    asking = asyncio.create_task(edge.http.post("/v1/chat/completions", json=body))
    run_id = await begun
    await edge.write(run_id, run.created(), run.started())
    await until_watched(edge, run_id)
    await ended(edge, run_id)
    assert (await asking).json()["choices"][0]["message"]["content"] == "Hello"
    await until_seen(edge, run_id)


async def test_somebody_elses_run_has_no_presence(edge: OwnEdge, url: str) -> None:
    run_id = await begun(edge)
    token = sign_token(AuthSettings(secret=SECRET), tenant=TENANT, user="eve")
    eve = {"authorization": f"Bearer {token}"}
    edge.answers["chat.get_run"] = edge.answers["chat.replay_run"] = lambda _: Problem(code="unknown_run", message="no")
    for path in ("", "/events"):
        assert_problem(await edge.http.get(f"/v1/runs/{run_id}{path}", headers=eve), 404, "unknown_run")
    async with watching(edge, url, run_id):
        await until_watched(edge, run_id)
        assert await presence(edge.bus, run_id, "eve") is None


async def test_each_edge_answers_for_its_own_clients(edge: OwnEdge, url: str) -> None:
    async with own_edge(edge.gateway.settings.nats.url[0]) as other, listening(other) as second:
        run_id = await begun(edge)
        async with watching(other, second, run_id) as reader:
            await until_watched(edge, run_id)
            await ended(edge, run_id)
            await reader.readuntil(b"event: run.completed")
            await until_seen(other, run_id)
            assert (await edge.http.get(f"/v1/runs/{run_id}/events")).status_code == 200
            assert [each.seen for each in await everybodys(edge.bus, run_id, 2)] == [True, True]


async def test_what_is_known_is_bounded(edge: OwnEdge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_presence, "MAX_SEEN", 3)
    audience = Audience(edge.gateway.bus, seen_seconds=60, unacknowledged_seconds=1)
    keys = [RunKey("t", "u", f"chat_{number}") for number in range(6)]
    audience.join(keys[0])
    for key in keys:
        audience.saw(key)
    assert len(audience) == 4, "the newest, and the one that is watched"
    audience.leave(keys[0])
    assert len(audience) == 3
    await audience.close()
    assert len(audience) == 0

"""Whatever a model server does, the run ends once, says why, keeps what was written, and the conversation goes on."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from kit.runlog.lane import SNAPSHOT_SUFFIX
from tests.fixtures.bus import plain_client, subjects_of
from tests.fixtures.events import Told, follow, send, shown
from tests.fixtures.model_server import ModelServer
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Stack

ENDINGS = ("generation.completed", "generation.failed", "generation.cancelled")

Fault = Callable[[ModelServer], Awaitable[None]]

CALLS = 4
"""As often a model that fails is called for one answer: once, and three times more."""

BEFORE_THE_FIRST_TOKEN: list[tuple[str, Fault, str]] = [
    ("401", lambda server: server.fail(401), "provider_auth"),
    ("403", lambda server: server.fail(403), "provider_auth"),
    ("404", lambda server: server.fail(404), "provider_rejected"),
    ("429", lambda server: server.fail(429, times=CALLS), "provider_rate_limited"),
    ("500", lambda server: server.fail(500, times=CALLS), "provider_unavailable"),
    ("503", lambda server: server.fail(503, times=CALLS), "provider_unavailable"),
]
AFTER_SOME_TOKENS: list[tuple[str, Fault, set[str]]] = [
    (
        "closes",
        lambda server: server.break_stream("disconnect", after_chunks=4, times=CALLS),
        {"provider_unavailable"},
    ),
    (
        "truncates",
        lambda server: server.break_stream("truncate", after_chunks=4, times=CALLS),
        {"provider_incomplete"},
    ),
    (
        "garbles",
        lambda server: server.break_stream("malformed", after_chunks=4, times=CALLS),
        {"provider_bad_response"},
    ),
]


async def assert_failed(http: httpx.AsyncClient, servers: Servers, told: Told, codes: set[str]) -> str:
    """One ending per lane, with the error; the same in the table and in a replay. Returns the text that was kept."""
    ending = told.one("generation.failed")
    assert ending["error"]["code"] in codes
    assert ending["error"]["message"]
    assert told.one("run.failed")["error"] == ending["error"]
    assert [event.type for event in told.events if event.type in ENDINGS] == ["generation.failed"]
    assert told.types[-2:] == ["generation.failed", "run.failed"]
    assert (ending.get("text") or "") == told.text()
    run = (await http.get(f"/v1/runs/{told.run_id}")).json()
    assert (run["status"], run["error"], run["text"]) == ("failed", ending["error"], told.text())
    stored = (await http.get(f"/v1/conversations/{run['conversation_id']}/messages")).json()["items"]
    reply = next(message for message in stored if message["id"] == run["message_id"])
    assert (reply["status"], reply["error"], reply["content"]) == ("failed", ending["error"], told.text())
    replayed = await follow(http, f"/v1/runs/{told.run_id}/events")
    assert shown(replayed.events) == shown(told.events)
    async with plain_client(servers) as client:
        lanes = await subjects_of(client, "RUNS", f"log.*.*.{told.run_id}.>")
    events = sum(count for lane, count in lanes.items() if not lane.endswith(SNAPSHOT_SUFFIX))
    assert events == len(told.events), "nothing was written after the ending"
    return told.text()


async def assert_usable(http: httpx.AsyncClient, told: Told) -> None:
    """The conversation takes a next message, and its model is told what was kept."""
    again = await send(http, "And now?", conversation=told.one("run.created")["conversation_id"])
    assert again.types[-1] == "run.completed"
    assert "I remember one earlier message" in again.text()


@pytest.mark.parametrize(
    ("fault", "code"), [case[1:] for case in BEFORE_THE_FIRST_TOKEN], ids=[case[0] for case in BEFORE_THE_FIRST_TOKEN]
)
async def test_it_refuses(stack: Stack, servers: Servers, model_server: ModelServer, fault: Fault, code: str) -> None:
    await fault(model_server)
    async with stack.client() as http:
        told = await send(http, "Hello", model="mock")
        assert await assert_failed(http, servers, told, {code}) == ""
        await assert_usable(http, told)


async def test_it_cannot_be_reached(stack: Stack, servers: Servers) -> None:
    async with stack.client() as http:
        told = await send(http, "Hello", model="unreachable")
        assert await assert_failed(http, servers, told, {"provider_unavailable"}) == ""
        await assert_usable(http, told)


@pytest.mark.parametrize(
    ("fault", "codes"), [case[1:] for case in AFTER_SOME_TOKENS], ids=[case[0] for case in AFTER_SOME_TOKENS]
)
async def test_it_breaks_off_in_the_middle(
    stack: Stack, servers: Servers, model_server: ModelServer, fault: Fault, codes: set[str]
) -> None:
    await model_server.reply("one two three four five six seven eight", model="gpt-4o", times=CALLS)
    await fault(model_server)
    async with stack.client() as http:
        told = await send(http, "Count", model="mock")
        kept = await assert_failed(http, servers, told, codes)
        assert kept
        assert "one two three four five six seven eight".startswith(kept.strip())
        await assert_usable(http, told)


async def test_it_falls_silent(stack: Stack, servers: Servers, model_server: ModelServer) -> None:
    await model_server.reply("one two three four five six seven eight", model="gpt-4o")
    await model_server.break_stream("stall", after_chunks=4, stall_seconds=60)
    async with stack.client() as http:
        told = await send(http, "Count", model="mock", timeouts={"silence_seconds": 3.0})
        assert await assert_failed(http, servers, told, {"silence_timeout"})
        requests = await until(model_server.requests)
        assert not requests[-1]["completed"], "its stream was closed and not read to the end"


async def test_it_never_begins(stack: Stack, servers: Servers, model_server: ModelServer) -> None:
    await model_server.slow_first_token(60)
    async with stack.client() as http:
        told = await send(http, "Count", model="mock", timeouts={"first_token_seconds": 0.5})
        assert await assert_failed(http, servers, told, {"first_token_timeout"}) == ""


async def test_it_takes_too_long_in_all(stack: Stack, servers: Servers) -> None:
    async with stack.client() as http:
        told = await send(http, "for 1 hour", model="demo-marathon", timeouts={"total_seconds": 3.0})
        assert await assert_failed(http, servers, told, {"total_timeout"})


async def test_an_answer_cut_by_its_length_says_so(stack: Stack) -> None:
    async with stack.client() as http:
        told = await send(http, "Hello", parameters={"max_tokens": 3})
    assert told.one("generation.completed")["finish_reason"] == "length"


@pytest.mark.parametrize("asked", ["fail", "fail with 503", "fail with 401"])
async def test_a_demo_model_fails_when_it_is_asked_to(stack: Stack, servers: Servers, asked: str) -> None:
    async with stack.client() as http:
        told = await send(http, asked, model="demo-flaky")
        await assert_failed(http, servers, told, {"provider_unavailable", "provider_auth"})


async def test_many_that_fail_at_once_all_end(stack: Stack) -> None:
    async with stack.client() as http:
        told = await asyncio.gather(
            *(send(http, f"fail with 401 after {n} tokens", model="demo-flaky") for n in range(20))
        )
    assert {one.types[-1] for one in told} == {"run.failed"}
    assert [len(one.text().split()) for one in told] == list(range(20))

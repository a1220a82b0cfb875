"""Stop means stop: from anywhere, at any moment, once; and what was written stays."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.fixtures.bus import plain_client, subjects_of
from tests.fixtures.events import Told, follow, opened, parse, send
from tests.fixtures.model_server import ModelServer
from tests.fixtures.own_servers import own_stack
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Stack

ENDINGS = {"completed", "failed", "cancelled"}

SHORT = {"content": "Hello", "model": "demo-sage"}
ENDLESS = {"content": "for 1 hour", "model": "demo-marathon"}


async def started(http: httpx.AsyncClient, content: str = "for 1 hour", model: str = "demo-marathon") -> str:
    """A run that goes on, and has written something."""
    answer = await http.post("/v1/conversations/new/messages", json={"content": content, "model": model})
    run_id = str(answer.json()["run_id"])

    async def text() -> bool:
        return bool((await http.get(f"/v1/runs/{run_id}")).json()["text"])

    await until(text)
    return run_id


async def assert_cancelled(http: httpx.AsyncClient, told: Told) -> None:
    """One ending per lane, the text kept everywhere as it was streamed."""
    ended = [event.type for event in told.events if event.type.rpartition(".")[2] in ENDINGS]
    assert ended == ["generation.cancelled", "run.cancelled"]
    assert (told.one("generation.cancelled").get("text") or "") == told.text()

    async def stored() -> bool:
        return (await http.get(f"/v1/runs/{told.run_id}")).json()["status"] == "cancelled"

    await until(stored)
    run = (await http.get(f"/v1/runs/{told.run_id}")).json()
    assert run["text"] == told.text()
    items = (await http.get(f"/v1/conversations/{run['conversation_id']}/messages")).json()["items"]
    assert [(m["status"], m["content"]) for m in items if m["role"] == "assistant"] == [("cancelled", told.text())]


async def test_it_stops_while_it_streams(stack: Stack) -> None:
    async with stack.client() as http, opened(http, "for 1 hour", model="demo-marathon") as response:
        raw, stop = b"", None
        async for piece in response.aiter_raw():
            raw += piece
            if stop is None and raw.count(b"generation.delta") > 10:
                run_id = parse(raw[: raw.rfind(b"\n\n") + 2])[0].data["run_id"]
                stop = asyncio.create_task(http.post(f"/v1/runs/{run_id}/cancel"))
        assert stop is not None
        assert (await stop).status_code == 200
        told = Told(200, parse(raw), raw)
        assert told.text()
        await assert_cancelled(http, told)


async def test_it_stops_from_another_connection_and_every_watcher_hears_of_it(stack: Stack) -> None:
    async with stack.client() as http:
        run_id = await started(http)
        url = f"/v1/runs/{run_id}/events"
        watchers = [asyncio.create_task(follow(http, url)) for _ in range(3)]
        async with httpx.AsyncClient(base_url=stack.url, headers=http.headers, trust_env=False) as elsewhere:
            answer = await elsewhere.post(f"/v1/runs/{run_id}/cancel")
        assert answer.status_code == 200
        assert answer.json()["id"] == run_id
        for told in await asyncio.gather(*watchers):
            await assert_cancelled(http, told)


async def test_the_model_server_is_let_go(stack: Stack, model_server: ModelServer) -> None:
    await model_server.reply("word " * 2000, model="gpt-4o")
    async with stack.client() as http:
        run_id = await started(http, "Hello", "mock")
        await http.post(f"/v1/runs/{run_id}/cancel")
        await assert_cancelled(http, await follow(http, f"/v1/runs/{run_id}/events"))
    (request,) = await until(model_server.requests)
    assert not request["completed"]
    assert request["chunks_sent"] < 1000


async def test_stopping_twice_or_after_the_end_changes_nothing(stack: Stack, servers: Servers) -> None:
    async with stack.client() as http, plain_client(servers) as client:

        async def stored(run_id: str) -> dict[str, int]:
            return await subjects_of(client, "RUNS", f"log.*.*.{run_id}.>")

        run_id = await started(http)
        answers = await asyncio.gather(*(http.post(f"/v1/runs/{run_id}/cancel") for _ in range(5)))
        assert {answer.status_code for answer in answers} == {200}
        told = await follow(http, f"/v1/runs/{run_id}/events")
        await assert_cancelled(http, told)
        ended, log = (await http.get(f"/v1/runs/{run_id}")).json(), await stored(run_id)
        assert (await http.post(f"/v1/runs/{run_id}/cancel")).json() == ended
        again = await follow(http, f"/v1/runs/{run_id}/events")
        assert [event.id for event in again.events] == [event.id for event in told.events]
        assert await stored(run_id) == log
        assert sum(count for subject, count in log.items() if subject.endswith(".run")) == 2

        completed = await send(http, "Hello")
        log = await stored(completed.run_id)
        answer = await http.post(f"/v1/runs/{completed.run_id}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (200, "completed")
        assert await stored(completed.run_id) == log
        assert sum(log.values()) == len(completed.events)


async def test_a_stop_at_any_moment_leaves_one_ending(stack: Stack) -> None:
    """From before a worker has it to after the end: whoever is first, the others see the same."""

    async def one(http: httpx.AsyncClient, pause: float, body: dict[str, str]) -> str:
        answer = await http.post("/v1/conversations/new/messages", json=body)
        run_id = answer.json()["run_id"]
        await asyncio.sleep(pause)  # the moment is what is tried out
        assert (await http.post(f"/v1/runs/{run_id}/cancel")).status_code == 200
        told = await follow(http, f"/v1/runs/{run_id}/events")
        ended = [event.type for event in told.events if event.type.rpartition(".")[2] in ENDINGS]
        assert ended in (["generation.cancelled", "run.cancelled"], ["generation.completed", "run.completed"])
        assert told.events[0].type == "run.created"
        assert told.events[-1].type.startswith("run.")
        assert (told.events[-2].data.get("text") or "") == told.text()
        return ended[-1]

    async with stack.client() as http:
        short = await asyncio.gather(*(one(http, number * 0.05, SHORT) for number in range(25)))
        endless = await asyncio.gather(*(one(http, number * 0.05, ENDLESS) for number in range(25)))
    assert set(short) <= {"run.cancelled", "run.completed"}
    assert set(endless) == {"run.cancelled"}


@pytest.fixture(scope="module")
async def mortal(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A stack whose worker can be taken away; use `lonely`."""
    async with own_stack(servers, tmp_path_factory.mktemp("mortal")) as stack:
        yield stack


@pytest.fixture
async def lonely(mortal: Stack) -> Stack:
    """The same, with its worker."""
    worker = mortal.processes["inference"]
    assert worker.process is not None
    if worker.process.returncode is not None:
        await worker.start()
        await mortal.until_ready()
    return mortal


async def test_it_stops_before_a_worker_took_it_and_stays_stopped(lonely: Stack) -> None:
    async with lonely.client() as http:
        await send(http, "Hello")  # chat knows the models now
        await lonely.processes["inference"].stop()
        accepted = await http.post("/v1/conversations/new/messages", json={"content": "Hello", "model": "demo-swift"})
        run_id = accepted.json()["run_id"]
        assert (await http.post(f"/v1/runs/{run_id}/cancel")).status_code == 200
        told = await follow(http, f"/v1/runs/{run_id}/events")
        assert told.types == ["run.created", "generation.cancelled", "run.cancelled"]
        await assert_cancelled(http, told)
        again = await send(http, "Next", conversation=accepted.json()["conversation_id"], model="no-such")
        assert again.status == 422, "the conversation is free again"
        await lonely.processes["inference"].start()
        await lonely.until_ready()
        async with plain_client(lonely.servers) as client:

            async def taken() -> bool:
                return not await subjects_of(client, "WORK", ">")

            await until(taken)
        after = await follow(http, f"/v1/runs/{run_id}/events")
        assert [event.id for event in after.events] == [event.id for event in told.events]


async def test_it_stops_although_its_worker_was_killed(lonely: Stack) -> None:
    async with lonely.client() as http:
        run_id = await started(http)
        await lonely.processes["inference"].kill()
        assert (await http.post(f"/v1/runs/{run_id}/cancel")).status_code == 200
        told = await follow(http, f"/v1/runs/{run_id}/events")
        assert told.text()
        await assert_cancelled(http, told)

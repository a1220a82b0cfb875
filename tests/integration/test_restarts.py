"""Any process may be killed at any moment: nothing that was seen is lost, the run ends once, and no hand is needed."""

import asyncio
import contextlib

import httpx
import pytest

from tests.fixtures.bus import plain_client, subjects_of
from tests.fixtures.events import Event, Told, follow, parse, send
from tests.fixtures.model_server import ModelServer
from tests.fixtures.polling import until
from tests.fixtures.stack import Stack

TOKENS = 120
COUNT = " ".join(str(number) for number in range(1, TOKENS + 1))
ANSWER = f"I count.\n\n{COUNT}\n\nThat was all."
ASK = {"content": f"{TOKENS} tokens at 4 tokens per second", "model": "demo-marathon"}  # three seconds


@pytest.fixture(scope="module", autouse=True)
async def counting_model(mortal_model: ModelServer) -> None:
    """The model `mock` counts as well."""
    await mortal_model.reply(ANSWER, model="gpt-4o", times=None)


async def begun(http: httpx.AsyncClient, body: dict[str, str] = ASK) -> str:
    """A run in the middle of its answer."""
    answer = await http.post("/v1/conversations/new/messages", json=body)
    run_id = str(answer.json()["run_id"])

    async def counting() -> bool:
        text = (await http.get(f"/v1/runs/{run_id}")).json()["text"] or ""
        return " 3 " in text

    await until(counting)
    return run_id


async def restarted(stack: Stack, name: str) -> None:
    await stack.processes[name].start()
    await stack.until_ready()


def shown(events: list[Event]) -> str:
    """What a client shows of the lane."""
    return Told(200, events, b"").text()


async def assert_whole(http: httpx.AsyncClient, told: Told) -> None:
    """The whole count, once, with one ending, and the same in the table."""
    ends = [
        event.type for event in told.events if event.type.rpartition(".")[2] in {"completed", "failed", "cancelled"}
    ]
    assert ends == ["generation.completed", "run.completed"]
    assert told.events[0].type == "run.created"
    text = told.one("generation.completed")["text"]
    assert text.split("\n\n")[1] == COUNT
    assert shown(told.events) == text
    assert (await http.get(f"/v1/runs/{told.run_id}")).json()["text"] == text
    assert len({event.id for event in told.events}) == len(told.events)


async def test_the_edge_is_killed_and_its_clients_resume(mortal: Stack) -> None:
    async with mortal.client() as http:
        run_id = await begun(http)
        url = f"/v1/runs/{run_id}/events"
        raw, killed = b"", False
        with contextlib.suppress(httpx.HTTPError):
            async with http.stream("GET", url) as response:
                async for piece in response.aiter_raw():
                    raw += piece
                    if raw.count(b"\n\n") > 3 and not killed:  # more pieces may have come in by then
                        killed = True
                        await mortal.processes["edge"].kill()
        had = parse(raw[: raw.rfind(b"\n\n") + 2])
        assert had
        assert had[-1].type != "run.completed", "it was cut in the middle"
        await restarted(mortal, "edge")
        rest = await follow(http, url, after=had[-1].id)
        whole = await follow(http, url)
        assert [e.id for e in had + rest.events] != []
        assert shown(had + rest.events) == shown(whole.events)
        assert not {e.id for e in had} & {e.id for e in rest.events}
        await assert_whole(http, whole)


async def test_the_edge_is_stopped_and_tells_its_clients_to_come_back(mortal: Stack) -> None:
    async with mortal.client() as http:
        run_id = await begun(http)
        url = f"/v1/runs/{run_id}/events"
        async with http.stream("GET", url) as response:
            pieces = response.aiter_raw()
            raw = await anext(pieces)
            stopping = asyncio.create_task(mortal.processes["edge"].stop())
            raw += b"".join([piece async for piece in pieces])
        assert await stopping == 0
        first = parse(raw)
        assert first[-1].type == "notice"
        assert first[-1].data["code"] == "reconnect"
        assert first[-1].id == "", "it moves no cursor"
        await restarted(mortal, "edge")
        had = [event for event in first if event.id]
        rest = await follow(http, url, after=had[-1].id)
        whole = await follow(http, url)
        assert shown(had + rest.events) == shown(whole.events)
        await assert_whole(http, whole)


async def test_chat_is_killed_while_a_run_goes_on_and_ends_it_when_it_is_back(mortal: Stack) -> None:
    async with mortal.client() as http:
        run_id = await begun(http)
        watching = asyncio.create_task(follow(http, f"/v1/runs/{run_id}/events"))
        await mortal.processes["chat"].kill()
        async with plain_client(mortal.servers) as client:

            async def generated() -> bool:
                subjects = await subjects_of(client, "EVENTS", "evt.inference.generation.completed")
                waiting = await subjects_of(client, "WORK", ">")
                return bool(subjects) and not waiting

            await until(generated)
        assert not watching.done(), "nobody has ended the run"
        await restarted(mortal, "chat")
        await assert_whole(http, await watching)


async def test_chat_is_killed_with_a_message_just_sent(mortal: Stack) -> None:
    """Whatever of the message was stored is answered; what was refused can be sent again."""
    async with mortal.client() as http:
        headers = [{"idempotency-key": f"k{number}"} for number in range(20)]
        body = {"content": "Hello", "model": "demo-swift"}

        async def post(number: int) -> None:
            await http.post("/v1/conversations/new/messages", json=body, headers=headers[number])

        sending = [asyncio.create_task(post(number)) for number in range(20)]
        await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
        await mortal.processes["chat"].kill()
        await restarted(mortal, "chat")
        await asyncio.gather(*sending)
        runs = []
        for header in headers:
            answer = await http.post("/v1/conversations/new/messages", json=body, headers=header)
            assert answer.status_code == 202
            runs.append(answer.json()["run_id"])
        assert len(set(runs)) == 20
        assert {run["id"] for run in (await http.get("/v1/runs")).json()["items"]} == set(runs), "none twice"
        for told in await asyncio.gather(*(follow(http, f"/v1/runs/{run_id}/events") for run_id in runs)):
            assert told.types[-1] == "run.completed"
            assert told.types.count("generation.started") == 1


async def test_a_killed_worker_is_replaced(mortal: Stack) -> None:
    async with mortal.client() as http:
        run_id = await begun(http)
        watching = asyncio.create_task(follow(http, f"/v1/runs/{run_id}/events"))
        await mortal.processes["inference"].kill()
        await restarted(mortal, "inference")
        told = await watching
        assert told.types.count("generation.restarted") + told.types.count("generation.resumed") == 1
        attempts = [event.data["attempt"] for event in told.events if event.type == "generation.started"]
        assert attempts == sorted(set(attempts))
        await assert_whole(http, told)


async def test_a_killed_worker_is_replaced_where_the_model_cannot_go_on(mortal: Stack) -> None:
    """The answer begins again, and what was there is dropped by everybody."""
    async with mortal.client() as http:
        run_id = await begun(http, {"content": "Count", "model": "mock"})
        watching = asyncio.create_task(follow(http, f"/v1/runs/{run_id}/events"))
        await mortal.processes["inference"].kill()
        await restarted(mortal, "inference")
        told = await watching
        assert told.types.count("generation.restarted") == 1
        await assert_whole(http, told)


async def test_a_stopped_worker_hands_over(mortal: Stack) -> None:
    async with mortal.client() as http:
        run_id = await begun(http)
        watching = asyncio.create_task(follow(http, f"/v1/runs/{run_id}/events"))
        assert await mortal.processes["inference"].stop() == 0
        assert not watching.done(), "a handover is no ending"
        await restarted(mortal, "inference")
        told = await watching
        assert told.types.count("generation.restarted") + told.types.count("generation.resumed") == 1
        await assert_whole(http, told)


async def test_everything_is_killed_at_once(mortal: Stack) -> None:
    async with mortal.client() as http:
        run_id = await begun(http)
        await asyncio.gather(*(process.kill() for process in mortal.processes.values()))
        await asyncio.gather(*(process.start() for process in mortal.processes.values()))
        await mortal.until_ready()
        await assert_whole(http, await follow(http, f"/v1/runs/{run_id}/events"))
        again = await send(http, "Hello")
        assert again.types[-1] == "run.completed"

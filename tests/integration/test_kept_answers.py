"""A provider that keeps its answers: the next worker takes the same one up, and a stop reaches it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests.fixtures.events import follow, send
from tests.fixtures.own_servers import own_stack
from tests.fixtures.polling import until
from tests.fixtures.responses_server import ResponsesServer, running_responses_server
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Stack

NUMBERS = tuple(f"{number} " for number in range(40))
WHOLE = "".join(NUMBERS)


@pytest.fixture(scope="module")
async def keeper() -> AsyncIterator[ResponsesServer]:
    async with running_responses_server() as server:
        yield server


@pytest.fixture(scope="module")
async def keeping(
    servers: Servers, keeper: ResponsesServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("keeping")
    catalogue = folder / "kept.yaml"
    card = {"provider": "kept", "model": "gpt-5", "prices": {"input": 1, "output": 2}, "continuation": "reattach"}
    told = {
        "providers": {"kept": {"kind": "responses", "base_url": keeper.base_url}, "demo": {"kind": "scripted"}},
        "models": [
            {"id": "kept", "name": "Kept", **card},
            {**card, "id": "demo-swift", "name": "Swift", "provider": "demo", "model": "demo-swift"},
        ],
    }
    catalogue.write_text(yaml.safe_dump(told))
    settings = {"STUDIO_MODELS_FILE": str(catalogue), "STUDIO_INFERENCE_DRAIN_SECONDS": "0.2"}
    async with own_stack(servers, folder, settings=settings) as stack:
        yield stack


async def begun(http: httpx.AsyncClient, server: ResponsesServer, **fields: object) -> str:
    """A run whose provider stops in the middle and waits."""
    server.asked.clear()
    server.says(*NUMBERS, hold_after=20, **fields)
    answer = await http.post("/v1/conversations/new/messages", json={"content": "Count", "model": "kept"})
    run_id = str(answer.json()["run_id"])

    async def half() -> bool:
        return ((await http.get(f"/v1/runs/{run_id}")).json()["text"] or "") == "".join(NUMBERS[:20])

    await until(half)
    return run_id


@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_the_next_worker_takes_up_the_same_answer(keeping: Stack, keeper: ResponsesServer, end: str) -> None:
    async with keeping.client() as http:
        run_id = await begun(http, keeper)
        await getattr(keeping.processes["inference"], end)()
        await keeping.processes["inference"].start()
        keeper.newest.release()
        told = await follow(http, f"/v1/runs/{run_id}/events")
    assert told.types[-2:] == ["generation.completed", "run.completed"]
    assert told.text() == told.one("generation.completed")["text"] == WHOLE
    assert told.one("generation.resumed")["mode"] == "reattach"
    assert keeper.paths("POST") == ["/responses"], "it was asked for once, and nobody stopped it"
    usage = told.one("generation.completed")["usage"]
    assert (usage["input_tokens"], usage["estimated"]) == (11, False), "and paid for once"


async def test_a_lost_connection_is_no_new_answer(keeping: Stack, keeper: ResponsesServer) -> None:
    keeper.asked.clear()
    keeper.says(*NUMBERS, cut_after=12)
    async with keeping.client() as http:
        told = await send(http, "Count", model="kept")
    assert told.text() == told.one("generation.completed")["text"] == WHOLE
    assert told.one("generation.resumed")["mode"] == "reattach"
    assert keeper.paths("POST") == ["/responses"]


async def test_an_answer_that_is_no_longer_kept_is_gone_on_with(keeping: Stack, keeper: ResponsesServer) -> None:
    async with keeping.client() as http:
        run_id = await begun(http, keeper)
        await keeping.processes["inference"].kill()
        keeper.newest.release()
        keeper.kept.clear()
        keeper.says(*NUMBERS[20:])
        await keeping.processes["inference"].start()
        told = await follow(http, f"/v1/runs/{run_id}/events")
    assert told.text() == told.one("generation.completed")["text"] == WHOLE
    assert told.one("generation.resumed")["mode"] == "continue"


async def test_a_stop_reaches_an_answer_that_goes_on_without_us(keeping: Stack, keeper: ResponsesServer) -> None:
    async with keeping.client() as http:
        run_id = await begun(http, keeper)
        reference = keeper.newest.id
        await http.post(f"/v1/runs/{run_id}/cancel")
        told = await follow(http, f"/v1/runs/{run_id}/events")
        assert told.types[-1] == "run.cancelled"

        async def stopped() -> bool:
            return keeper.kept[reference].status == "cancelled"

        await until(stopped)


async def test_a_fallback_stops_what_it_replaces(keeping: Stack, keeper: ResponsesServer, tmp_path: Path) -> None:
    keeper.asked.clear()
    keeper.says(*NUMBERS, hold_after=0)
    async with keeping.client() as http:
        told = await send(http, "Count", model="kept", fallbacks=["demo-swift"], timeouts={"first_token_seconds": 3.0})
    assert told.one("generation.completed")["model"] == "demo-swift"

    async def stopped() -> bool:
        return keeper.newest.status == "cancelled"

    await until(stopped)

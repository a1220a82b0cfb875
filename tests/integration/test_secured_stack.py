"""The product on a bus that only keys open: everything it does, and the server has nothing to refuse."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from studio_client import Studio
from tests.fixtures.events import send
from tests.fixtures.own_servers import own_database
from tests.fixtures.polling import until
from tests.fixtures.secure_bus import SecureBus
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Stack, running_stack
from tests.integration.compare.over_http import compare

LONG = "ü" * 90_000
"""So long that it goes to the worker by reference."""
STEPS = [
    {"name": "draft", "prompt": "Say hello.", "model": "demo-swift"},
    {"name": "last", "prompt": "${draft.output}", "model": "demo-swift", "depends_on": ["draft"]},
]


@pytest.fixture
async def stack(servers: Servers, secure_bus: SecureBus, tmp_path: Path) -> AsyncIterator[Stack]:
    async with own_database(servers, secure_bus.url) as own:
        keyed = Servers(secure_bus.url, own.database_url, own.source, secure_bus)
        (tmp_path / "stack").mkdir()
        async with running_stack(keyed, tmp_path / "stack") as running:
            yield running


async def test_the_product_needs_nothing_that_is_not_on_its_lists(stack: Stack, secure_bus: SecureBus) -> None:
    async with stack.client(email="ada@example.com") as http:
        told = await send(http, "Hello", model="demo-swift")
        assert told.types[-1] == "run.completed"
        long = await send(http, LONG, model="demo-swift")
        assert long.types[-1] == "run.completed"
        compared = await compare(http, "Rivers", "demo-swift", "demo-sage")
        assert compared.types[-1] == "run.completed"

        studio = Studio("", http=http)
        made = await http.post("/v1/assistants", json={"name": "Greeting", "definition": {"steps": STEPS}})
        run = studio.assistants.run(made.json()["id"], {})
        await run.start()
        await run.wait()
        assert run.transcript.output("last")

        endless = {"content": "Go on", "model": "demo-marathon"}
        going = await http.post("/v1/conversations/new/messages", json=endless)
        stopped = await http.post(f"/v1/runs/{going.json()['run_id']}/cancel")
        assert stopped.status_code < 300

        away = {"content": "Hello", "model": "demo-swift", "notify": "always"}
        assert (await http.post("/v1/conversations/new/messages", json=away)).status_code == 202
        await until(lambda: _written(stack.folder / "mail"))
        assert (await http.get("/asyncapi.json")).json()["info"].get("x-absent-services") is None
    refused = [line for line in (secure_bus.folder / "nats.log").read_text().splitlines() if "iolation" in line]
    assert not refused


async def _written(folder: Path) -> list[Path]:
    return await asyncio.to_thread(lambda: list(folder.glob("*.eml")))

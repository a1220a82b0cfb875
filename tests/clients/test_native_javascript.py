"""The documented snippets: with Node's fetch, the npm package `eventsource`, Chromium's own EventSource and fetch."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.clients.lab import MODEL, TEXT, Lab
from tests.clients.npm import Node
from tests.clients.scripted_model import Script

DRIVERS = ["fetch.mjs", "eventsource.mjs"]
PACED = 0.02
"""Between two pieces, in seconds: a reconnect after a second finds the answer still going on."""


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_run_is_told_exactly_over_cut_connections(lab: Lab, node: Node, driver: str) -> None:
    async with lab.proxy(seed=11, cuts=3, most=6000) as proxy:
        told = await node.run(
            driver, url=proxy.url, direct=lab.url, prompt=lab.prompt(pause_seconds=PACED), model=MODEL
        )
        assert len(proxy.done) == 3
    assert (told["text"], told["ending"]) == (TEXT, "run.completed")


@pytest.mark.parametrize("driver", DRIVERS)
async def test_an_edge_killed_in_mid_stream_costs_nothing(lab: Lab, node: Node, driver: str) -> None:
    script = Script(TEXT, pause_seconds=PACED)
    async with lab.proxy() as proxy:
        given = {"url": proxy.url, "direct": lab.url, "prompt": lab.model.prompt(script), "model": MODEL}
        reading = asyncio.create_task(node.run(driver, **given))
        await lab.kill_the_edge_of(proxy, script)
        told = await reading
    assert (told["text"], told["ending"]) == (TEXT, "run.completed")


@pytest.mark.parametrize("driver", DRIVERS)
async def test_what_is_over_is_told_whole_and_from_its_end_not_at_all(lab: Lab, node: Node, driver: str) -> None:
    where = {"url": lab.url, "direct": lab.url}
    first = await node.run(driver, **where, prompt=lab.prompt("Short."), model=MODEL)
    late = await node.run(driver, **where, run=first["run"])
    assert (late["text"], late["ending"]) == ("Short.", "run.completed")
    nothing = await node.run(driver, **where, run=first["run"], cursor=late["cursor"])
    assert nothing["types"] == []


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_failure_is_told_with_its_reason(lab: Lab, node: Node, driver: str) -> None:
    told = await node.run(driver, url=lab.url, direct=lab.url, prompt=lab.prompt(status=401), model=MODEL)
    assert told["ending"] == "run.failed"
    assert told["error"]["message"]


@pytest.mark.parametrize("how", ["eventsource", "fetch"])
async def test_chromium_is_told_a_run_exactly_over_cut_connections(
    lab: Lab, node: Node, chromium: str, tmp_path: Path, how: str
) -> None:
    given: dict[str, Any] = {"browser": chromium, "profile": str(tmp_path), "model": MODEL, "how": how}
    async with lab.proxy(seed=13, cuts=4, least=600, most=6000) as proxy:
        told = await node.run("chromium.mjs", url=proxy.url, prompt=lab.prompt(pause_seconds=PACED), **given)
        assert len(proxy.done) == 4
    assert (told["text"], told["ending"]) == (TEXT, "run.completed")


async def test_chromium_goes_on_when_the_edge_is_killed(lab: Lab, node: Node, chromium: str, tmp_path: Path) -> None:
    script = Script(TEXT, pause_seconds=PACED)
    given: dict[str, Any] = {"browser": chromium, "profile": str(tmp_path), "model": MODEL, "how": "eventsource"}
    async with lab.proxy() as proxy:
        prompt = lab.model.prompt(script)
        reading = asyncio.create_task(node.run("chromium.mjs", url=proxy.url, prompt=prompt, **given))
        await lab.kill_the_edge_of(proxy, script)
        told = await reading
    assert (told["text"], told["ending"]) == (TEXT, "run.completed")

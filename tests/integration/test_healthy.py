"""`healthy SERVICE`, which every container is asked: it is said when a service is there and well, and when not, why."""

import asyncio
import sys
from collections.abc import Mapping

import pytest

from kit.bus.broker import make_broker
from kit.bus.health import answer_health
from kit.runtime.embedded_nats import EmbeddedNats
from kit.runtime.ports import free_port
from kit.settings import BusSettings
from tests.fixtures.bus import bus_to
from tests.fixtures.stack import SERVICES, Stack


async def healthy(service: str, environment: Mapping[str, str]) -> tuple[int | None, str]:
    """The exit code, and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services", "healthy", service),
        env=dict(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_every_service_that_runs_says_that_it_is_well(stack: Stack) -> None:
    asked = [name for name in SERVICES if name != "edge"]
    answers = await asyncio.gather(*(healthy(name, stack.processes[name].environment) for name in asked))
    assert {name: code for name, (code, _) in zip(asked, answers, strict=True)} == dict.fromkeys(asked, 0), answers


async def test_a_service_that_is_away_or_misses_something_is_not_well(own_nats: EmbeddedNats) -> None:
    environment = {"STUDIO_NATS_URL": own_nats.url}
    code, said = await healthy("chat", environment)
    assert (code, said) == (1, "error: chat does not answer: nats: no responders available for request\n")

    async def look() -> None:
        raise ConnectionRefusedError("the database is away")

    async with bus_to(own_nats.url) as bus:
        broker = make_broker(BusSettings(url=(own_nats.url,)), "chat", bus)
        answer_health(broker, "chat", look)
        await broker.start()
        assert await healthy("chat", environment) == (1, "error: chat answers: the database is away\n")
        await broker.stop()


async def test_a_bus_that_is_away_is_said() -> None:
    address = f"nats://127.0.0.1:{free_port()}"
    code, said = await healthy("chat", {"STUDIO_NATS_URL": address})
    assert (code, said) == (1, f"error: nobody is at {address}; is NATS there? (STUDIO_NATS_URL)\n")


async def test_no_address_at_all_is_a_wrong_setting() -> None:
    code, said = await healthy("chat", {"STUDIO_NATS_URL": ""})
    assert code == 1, "nats-py would look for a server for ever, and for nothing else"
    assert said.startswith("error: wrong setting: STUDIO_NATS_URL: ")


@pytest.mark.parametrize("name", ["edge", "nobody"])
async def test_who_is_not_asked_over_the_bus_is_said(name: str) -> None:
    code, said = await healthy(name, {})
    assert code == 1
    assert f"'{name}' is not asked over the bus; these are: chat, " in said

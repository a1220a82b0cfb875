"""The example for analysts, as a stranger would use it."""

import asyncio
import json
import sys
from pathlib import Path

from kit.runtime.ports import free_port
from tests.fixtures.bus import plain_client
from tests.fixtures.events import send
from tests.fixtures.stack import Stack
from tests.fixtures.subscriber import SCRIPT, listening, subscriber


async def test_a_subscriber_hears_new_facts_and_those_of_before(stack: Stack) -> None:
    url = ("--url", stack.servers.nats_url)
    async with subscriber(*url) as live, stack.client() as http:
        await listening(live)
        told = await send(http, "Hello")
        (ended,) = await live.heard("evt.chat.run.completed", told.run_id)
        assert "model=demo-swift" in ended
        async with subscriber(*url, "--since", "1h") as late:
            await late.heard("evt.inference.generation.completed", told.run_id)
            await late.heard("evt.chat.run.completed", told.run_id)
            assert await late.stop() == 0
        assert await live.stop() == 0
    assert "# stopped" in live.words


async def test_a_subscriber_tolerates_what_it_does_not_know(stack: Stack) -> None:
    async with subscriber(STUDIO_NATS_URL=stack.servers.nats_url) as running:
        await listening(running)
        async with plain_client(stack.servers) as client:
            await client.jetstream().publish("evt.weather.storm.passed", b"\xff not json")
            await client.jetstream().publish("evt.weather.storm.passed", b'{"tune": {"key": "la"}}')
        await running.heard("evt.weather.storm.passed", "no JSON object")
        await running.heard("evt.weather.storm.passed", 'tune={"key":"la"}')


async def test_a_subscriber_finds_the_local_stack(stack: Stack, tmp_path: Path) -> None:
    async with subscriber(STUDIO_DATA_DIR=str(tmp_path)) as lost:
        assert await lost.process.wait() == 1
        await lost.stop()
    assert "no stack runs here" in "".join(lost.words)
    (tmp_path / "state.json").write_text(json.dumps({"nats_url": stack.servers.nats_url}))
    async with subscriber(STUDIO_DATA_DIR=str(tmp_path)) as running:
        await listening(running)


async def test_a_subscriber_says_in_a_line_that_nobody_is_there() -> None:
    async with subscriber("--url", f"nats://127.0.0.1:{free_port()}") as lost:
        assert await lost.process.wait() == 1
        await lost.stop()
    first, last = lost.words
    assert first.startswith("# NATS: ConnectionRefusedError")
    assert last.startswith("nobody lets us in at nats://127.0.0.1")


async def test_a_subscriber_whom_nobody_reads_ends_without_a_word(stack: Stack) -> None:
    command = f"'{sys.executable}' '{SCRIPT}' --url {stack.servers.nats_url} --since 1h | head -n 1"
    async with stack.client() as http:
        await send(http, "Hello")
    piped = await asyncio.create_subprocess_shell(
        command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    told, said = await piped.communicate()
    assert len(told.splitlines()) == 1
    assert said == b"# listening\n# stopped\n"

"""SIGTERM to each service while people use it, as a deploy sends it: a clean end in time, and nothing is lost.

There is one process of each here, so that nobody stands in. With two of each: `task chaos:rolling`.
"""

import asyncio
import contextlib
import email
import itertools
import os
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from kit.runtime.process import stop_seconds
from kit.settings import Settings
from services.roster import ROSTER
from studio_client import Run, Studio, Transcript
from tests.fixtures.polling import until
from tests.fixtures.stack import Stack

TOKENS = 100
ASK = {"content": f"{TOKENS} tokens at 4 tokens per second", "model": "demo-marathon"}  # more than two seconds
COUNT = " ".join(str(number) for number in range(1, TOKENS + 1))
STEPS: dict[str, Any] = {
    "fields": [],
    "steps": [
        {"name": "first", "prompt": ASK["content"], "model": ASK["model"]},
        {"name": "second", "prompt": "And then, after ${first.output}", "model": "demo-swift", "depends_on": ["first"]},
    ],
}
STOP_SECONDS = stop_seconds(Settings())
"""What whoever stops a container waits at least (compose.yaml, `stop_grace_period`); then comes SIGKILL."""
ORCHESTRATORS = tuple(spec.name for spec in ROSTER if spec.schema is not None)

_numbers = itertools.count(1)


async def posted(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> str:
    answer = await http.post(path, json=body)
    assert answer.is_success, answer.text
    return str(answer.json().get("run_id") or answer.json()["id"])


async def in_the_middle(http: httpx.AsyncClient, run_id: str) -> None:
    async def counting() -> bool:
        return " 3 " in ((await http.get(f"/v1/runs/{run_id}")).json()["text"] or "")

    await until(counting)


@contextlib.asynccontextmanager
async def watched(
    stack: Stack, http: httpx.AsyncClient, runs: list[str]
) -> AsyncIterator[list[asyncio.Task[Transcript]]]:
    """Somebody watches each run to its end, and comes back when the connection is lost."""
    async with Studio(stack.url, token=http.headers["authorization"].removeprefix("Bearer ")) as studio:
        watching = [asyncio.create_task(Run.wait(studio.run(run_id))) for run_id in runs]
        try:
            yield watching
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)


def mails_to(stack: Stack, address: str) -> int:
    folder = stack.folder / "mail"
    return sum(address in str(email.message_from_bytes(path.read_bytes())["To"]) for path in folder.glob("*.eml"))


async def stopped(stack: Stack, name: str) -> int:
    """SIGTERM, and its exit code. Raises TimeoutError when it takes too long."""
    process = stack.processes[name].process
    assert process is not None
    process.terminate()
    async with asyncio.timeout(STOP_SECONDS):
        return await process.wait()


@pytest.mark.parametrize("names", [("edge",), ("inference",), ORCHESTRATORS], ids="+".join)
async def test_who_is_told_to_stop_ends_in_time_and_nothing_is_lost(mortal: Stack, names: tuple[str, ...]) -> None:
    address = f"stop-{next(_numbers)}-{os.getpid()}@example.com"
    async with mortal.client(email=address) as http:
        chat = await posted(http, "/v1/conversations/new/messages", {**ASK, "notify": "always"})
        body = {"prompt": ASK["content"], "models": ["demo-marathon", "demo-swift"], "notify": "never"}
        comparison = await posted(http, "/v1/comparisons", body)
        assistant = await posted(http, "/v1/assistants", {"name": "Stops", "definition": STEPS})
        steps = await posted(http, f"/v1/assistants/{assistant}/runs", {"inputs": {}, "notify": "never"})
        async with watched(mortal, http, [chat, comparison, steps]) as watching:
            await in_the_middle(http, chat)
            codes = await asyncio.gather(*(stopped(mortal, name) for name in names))
            assert codes == [0] * len(names), mortal.logs()[-4000:]
            await asyncio.gather(*(mortal.processes[name].start() for name in names))
            await mortal.until_ready()
            said, compared, stepped = await asyncio.gather(*watching)
        assert [each.ending for each in (said, compared, stepped)] == ["run.completed"] * 3
        assert said.text().split("\n\n")[1] == COUNT
        assert {lane.outcome for lane in compared.lanes.values()} == {"completed"}
        assert sum(COUNT in lane.text for lane in compared.lanes.values()) == 1
        assert COUNT in str(stepped.output("first"))
        assert stepped.output("second")
        assert (await http.get(f"/v1/runs/{chat}")).json()["text"] == said.text()

        async def told() -> bool:
            answer = await http.get("/v1/notifications", params={"run_id": chat})
            if answer.status_code == 503:  # the notifier is on its way; an edge is ready without it
                return False
            items = answer.json()["items"]
            return bool(items) and items[0]["status"] == "sent"

        await until(told)
        assert mails_to(mortal, address) == 1

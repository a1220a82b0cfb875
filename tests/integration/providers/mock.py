"""@copilotkit/aimock as a process: a third party's idea of every provider's wire (aimock/launcher.mjs)."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.clients.npm import Node

FOLDER = Path(__file__).with_name("aimock")
START_SECONDS = 30.0
KEY = "sk-mock-secret-1234567"


@dataclass(frozen=True)
class Seen:
    """A request as the mock saw it. `closed_at`: seconds; when it lost the connection before its answer was whole."""

    url: str
    headers: dict[str, str]
    text: str
    closed_at: float | None

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.text) if self.text else {}


class MockProvider:
    """The running mock. Its requests are told apart by a mark in their texts."""

    def __init__(self, url: str, control: str) -> None:
        self.url, self._control = url, control
        self._http = httpx.AsyncClient(trust_env=False)

    async def seen(self, mark: str) -> list[Seen]:
        """The requests with this mark, oldest first."""
        told = (await self._http.get(self._control)).json()
        return [
            Seen(each["url"], each["headers"], each["body"], each["closedAt"] and each["closedAt"] / 1000)
            for each in told
            if mark in each["body"]
        ]

    async def close(self) -> None:
        await self._http.aclose()


@contextlib.asynccontextmanager
async def mock_provider(say: Callable[[str], None]) -> AsyncIterator[MockProvider]:
    """Install it if need be, start it, and end it with its stdin."""
    node = Node(FOLDER)
    await node.install(say)
    process = await node.spawn("launcher.mjs", stdin=asyncio.subprocess.PIPE, stderr=None)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            told = json.loads(await process.stdout.readline())
        mock = MockProvider(told["url"], f"http://127.0.0.1:{told['control']}")
        try:
            yield mock
        finally:
            await mock.close()
    finally:
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()

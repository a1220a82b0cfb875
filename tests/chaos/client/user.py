"""One person's HTTP: knows both edges, goes to the other when one fails, and repeats what may be repeated."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec

TRY_SECONDS = 15.0
"""For one answer; an edge itself gives up after 10 s."""
GIVE_UP_SECONDS = 90.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 1.0
LOST = (aiohttp.ClientError, OSError, TimeoutError)


class GaveUp(Exception):  # noqa: N818
    """Nobody answered for so long that something is stuck."""


@dataclass
class Wait:
    """One request that needed more than one try, or long."""

    started: float
    ended: float
    what: str
    tries: list[str] = field(default_factory=list)


class User:
    """A signed-in client."""

    def __init__(
        self, http: aiohttp.ClientSession, edges: list[str], token: str, rng: random.Random, waits: list[Wait]
    ) -> None:
        self.http, self.edges = http, edges
        self.headers = {"authorization": f"Bearer {token}"}
        self._rng, self._waits = rng, waits

    async def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """The status and the JSON of an answer that is not "try again". Raises GaveUp.

        A POST is repeated as it is: it must carry an Idempotency-Key, or do the same when it is done twice.
        """
        wait = Wait(time.monotonic(), 0, f"{method} {path}")
        edge, pause = self._rng.randrange(len(self.edges)), FIRST_PAUSE_SECONDS
        while True:
            try:
                async with self.http.request(
                    method,
                    self.edges[edge % len(self.edges)] + path,
                    json=body,
                    headers={**self.headers, **(headers or {})},
                    timeout=aiohttp.ClientTimeout(total=TRY_SECONDS, sock_connect=2),
                ) as answer:
                    raw = await answer.read()
                    if answer.status < 500:
                        self.waited(wait)
                        return answer.status, msgspec.json.decode(raw) if raw else None
                    wait.tries.append(f"{answer.status} {raw[:200].decode(errors='replace')}")
            except LOST as error:
                wait.tries.append(repr(error))
            if time.monotonic() - wait.started > GIVE_UP_SECONDS:
                raise GaveUp(f"{wait.what}: {wait.tries[-5:]}")
            await asyncio.sleep(pause)
            edge, pause = edge + 1, min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def run(self, run_id: str) -> tuple[int, Any]:
        """A run as it is stored."""
        return await self.ask("GET", f"/v1/runs/{run_id}")

    async def messages(self, conversation: str) -> list[dict[str, Any]]:
        """The messages of a conversation, of all its pages: a long answer fills one by itself."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            _, page = await self.ask("GET", f"/v1/conversations/{conversation}/messages?limit=200{after}")
            found += page["items"]
            if not page.get("next"):
                return found
            after = f"&after={page['next']}"

    async def cancel(self, run_id: str) -> tuple[int, Any]:
        """Stop a run."""
        return await self.ask("POST", f"/v1/runs/{run_id}/cancel")

    def waited(self, wait: Wait) -> None:
        """A request has got its answer."""
        wait.ended = time.monotonic()
        self._waits.append(wait)

"""OpenAI's own client for Python, with nothing but its base URL and its key changed; and what of a run it started."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
from openai import AsyncOpenAI

from tests.fixtures.polling import until
from tests.fixtures.stack import Stack

MARATHON = "for 10 minutes"
"""What an answer that somebody has to stop is asked for (demo-marathon)."""


@contextlib.asynccontextmanager
async def signed_in(stack: Stack) -> AsyncIterator[tuple[AsyncOpenAI, httpx.AsyncClient]]:
    """The official client, and a plain one for the native routes, of one user whom nobody else is."""
    async with stack.client() as http:
        token = http.headers["authorization"].removeprefix("Bearer ")
        async with AsyncOpenAI(base_url=f"{stack.url}/v1", api_key=token, max_retries=0) as client:
            yield client, http


def user(content: Any) -> list[Any]:
    """The messages of a first question."""
    return [{"role": "user", "content": content}]


async def ended(http: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    """A run when it has ended."""

    async def look() -> dict[str, Any] | None:
        run: dict[str, Any] = (await http.get(f"/v1/runs/{run_id}")).json()
        return run if run["status"] in ("completed", "failed", "cancelled") else None

    run = await until(look)
    assert run is not None
    return run


async def begun(http: httpx.AsyncClient, key: str = "") -> str:
    """The id of the only run of a user, once it has said something."""

    async def look() -> str | None:
        runs = (await http.get("/v1/runs")).json()["items"]
        if not runs:
            return None
        run = (await http.get(f"/v1/runs/{runs[0]['id']}")).json()
        return str(run["id"]) if run["text"] else None

    run_id = await until(look)
    assert run_id is not None
    return run_id

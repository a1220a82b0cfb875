"""Comparisons as their clients see them."""

import json
from typing import Any

import httpx

from tests.fixtures.events import Told, parse
from tests.fixtures.polling import until
from tests.fixtures.watchers import Watcher

WORDS = frozenset({"text", "delta", "chunk"})
"""Where the answers themselves are."""


async def begin(http: httpx.AsyncClient, prompt: str, *models: Any, **body: Any) -> str:
    """The run's id."""
    response = await http.post("/v1/comparisons", json={"prompt": prompt, "models": list(models), **body})
    assert response.status_code == 202, response.text
    return str(response.json()["run_id"])


async def compare(http: httpx.AsyncClient, prompt: str, *models: Any, **body: Any) -> Told:
    """The stream of the request that begins it, to its end."""
    asked = {"prompt": prompt, "models": list(models), **body}
    response = await http.post("/v1/comparisons", json=asked, headers={"accept": "text/event-stream"})
    assert response.status_code == 200, response.text
    return Told(200, parse(response.content), response.content)


async def get(http: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    """As it is now."""
    response = await http.get(f"/v1/comparisons/{run_id}")
    assert response.status_code == 200, response.text
    return dict(response.json())


async def ended(http: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    """When it has ended."""

    async def look() -> dict[str, Any] | None:
        found = await get(http, run_id)
        return found if found["ended_at"] else None

    found = await until(look)
    assert found is not None
    return found


async def whole(http: httpx.AsyncClient, run_id: str) -> Told:
    """All of it, by somebody who comes now."""
    watcher = Watcher(http, run_id)
    await watcher.stay()
    return watcher.told


def without_words(raw: bytes) -> str:
    """Everything that a body or a stream says beside the answers themselves."""
    if not raw.startswith(b"{"):
        frames = [line.removeprefix(b"data: ") for line in raw.split(b"\n") if line.startswith(b"data: {")]
        other = [line.decode() for line in raw.split(b"\n") if not line.startswith(b"data: {")]
        return json.dumps([_silent(json.loads(frame)) for frame in frames] + other)
    return json.dumps(_silent(json.loads(raw)))


def _silent(value: Any) -> Any:
    if isinstance(value, list):
        return [_silent(each) for each in value]
    if isinstance(value, dict):
        return {name: "" if name in WORDS else _silent(each) for name, each in value.items()}
    return value

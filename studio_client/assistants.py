"""Assistants: run one, follow its steps, decide what waits for a person. A part of `Studio`."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from studio_client.patience import Loss
from studio_client.requests import Requests
from studio_client.run import Run

Json = dict[str, Any]


class Begin(Protocol):
    """As `Studio.begin`."""

    def __call__(
        self, path: str, body: Json, *, key: str | None = None, on_loss: Callable[[Loss], None] | None = None
    ) -> Run:
        """A run that begins when it is first awaited."""


Pages = Callable[[str, str, Json], AsyncIterator[Json]]


class Assistants:
    """The routes about assistants. All methods that ask raise ApiError and UnreachableError."""

    def __init__(self, requests: Requests, begin: Begin, pages: Pages) -> None:
        self._requests, self._begin, self._pages = requests, begin, pages

    def run(
        self,
        assistant: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        on_loss: Callable[[Loss], None] | None = None,
        **options: Any,
    ) -> Run:
        """Run an assistant; the run begins when it is first awaited. `options`: `version`, `notify`.

        The same `key`, for a run that is asked for again after a crash, gives the same run.
        """
        body = {"inputs": dict(inputs or {}), **options}
        return self._begin(f"/v1/assistants/{_in_path(assistant)}/runs", body, key=key, on_loss=on_loss)

    def fork(
        self,
        run_id: str,
        step: str,
        *,
        key: str | None = None,
        on_loss: Callable[[Loss], None] | None = None,
        **changes: Any,
    ) -> Run:
        """Take a run anew from a step on, as a new one. `changes`: `inputs`, `steps`, `notify`; none: a retry."""
        body = {"from": step, **changes}
        return self._begin(f"/v1/runs/{_in_path(run_id)}/fork", body, key=key, on_loss=on_loss)

    async def steps(self, run_id: str) -> Json:
        """A run as it is now, with its steps and their texts so far."""
        return await self._requests.json("GET", f"/v1/runs/{_in_path(run_id)}/steps", again=True)

    async def approve(self, run_id: str, step: str, comment: str = "") -> Json:
        """Let a step begin that waits for it."""
        return await self._decide(run_id, step, "approve", comment)

    async def reject(self, run_id: str, step: str, comment: str = "") -> Json:
        """Refuse it; what becomes of the run is the step's policy."""
        return await self._decide(run_id, step, "reject", comment)

    async def create(self, **fields: Any) -> Json:
        """A new assistant: `name`, `definition` …"""
        return await self._requests.json("POST", "/v1/assistants", json=fields)

    async def get(self, assistant: str, version: int | None = None) -> Json:
        """One assistant with its definition."""
        path, params = f"/v1/assistants/{_in_path(assistant)}", {"version": version}
        return await self._requests.json("GET", path, params=params, again=True)

    def all(self, **filters: Any) -> AsyncIterator[Json]:
        """Those that you may run, newest first. `filters`: `mine`, `search`."""
        return self._pages("/v1/assistants", "before", filters)

    async def _decide(self, run_id: str, step: str, decision: str, comment: str) -> Json:
        path = f"/v1/runs/{_in_path(run_id)}/steps/{_in_path(step)}/approval"
        return await self._requests.json("POST", path, json={"decision": decision, "comment": comment}, again=True)


def _in_path(part: str) -> str:
    return quote(part, safe="")

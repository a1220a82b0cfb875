"""The server's routes as methods. JSON comes as it is: /docs of a running server says what is in it."""

import uuid
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from studio_client.assistants import Assistants
from studio_client.notifications import Notifications
from studio_client.patience import Loss, Patience
from studio_client.requests import Requests
from studio_client.run import Beginning, Run

DEFAULT_URL = "http://127.0.0.1:8484"
NEW = "new"
"""In place of a conversation's id: begin one with this message."""

Json = dict[str, Any]


class Studio:
    """One server and one user. All methods that ask raise ApiError and UnreachableError."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        token: str | None = None,
        patience: Patience | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        """`http` is a client of your own, for proxies and certificates; it stays open."""
        self._patience = patience or Patience()
        self._requests = Requests(url, token, self._patience, http)
        self.assistants = Assistants(self._requests, self.begin, self._pages)
        self.notifications = Notifications(self._requests, self._pages)

    async def __aenter__(self) -> Self:
        """Close it at the end of the block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """Close the connections; that stops no run."""
        await self._requests.close()

    def send(
        self,
        content: Any,
        *,
        conversation: str = NEW,
        model: str | None = None,
        key: str | None = None,
        on_loss: Callable[[Loss], None] | None = None,
        **options: Any,
    ) -> Run:
        """Send a message; the run that answers it begins when it is first awaited.

        `options` are the other fields of the message: `system`, `parameters`, `fallbacks`, `notify` …
        The same `key`, for a message that is sent again after a crash, gives the same run.
        """
        body = {"content": content, **({"model": model} if model else {}), **options}
        path = f"/v1/conversations/{_in_path(conversation)}/messages"
        return self.begin(path, body, key=key, on_loss=on_loss)

    def regenerate(
        self,
        conversation: str,
        message: str,
        *,
        key: str | None = None,
        on_loss: Callable[[Loss], None] | None = None,
        **options: Any,
    ) -> Run:
        """Answer a message once more, beside the answers there are; `message` is the answer or what it answers."""
        path = f"/v1/conversations/{_in_path(conversation)}/messages/{_in_path(message)}/regenerate"
        return self.begin(path, options, key=key, on_loss=on_loss)

    def begin(
        self, path: str, body: Json, *, key: str | None = None, on_loss: Callable[[Loss], None] | None = None
    ) -> Run:
        """Any request that starts a run of any kind: `path` is one that streams it."""
        beginning = Beginning(path, body, key or str(uuid.uuid4()))
        return Run(self._requests, self._patience, beginning=beginning, on_loss=on_loss)

    def run(self, run_id: str, cursor: str = "", *, on_loss: Callable[[Loss], None] | None = None) -> Run:
        """Follow a run of any kind from a cursor on, or from its start: live, or when it is long over."""
        return Run(self._requests, self._patience, run_id=_in_path(run_id), cursor=cursor, on_loss=on_loss)

    async def get_run(self, run_id: str) -> Json:
        """A run as it is now, with its text so far."""
        return await self._requests.json("GET", f"/v1/runs/{_in_path(run_id)}", again=True)

    def runs(self, **filters: Any) -> AsyncIterator[Json]:
        """Your runs, newest first."""
        return self._pages("/v1/runs", "before", filters)

    async def cancel(self, run_id: str) -> Json:
        """Stop a run, whoever follows it. What was written is kept."""
        return await self._requests.json("POST", f"/v1/runs/{_in_path(run_id)}/cancel", again=True)

    async def create_conversation(self, **fields: Any) -> Json:
        """An empty conversation: `title`, `system` …"""
        return await self._requests.json("POST", "/v1/conversations", json=fields)

    def conversations(self, **filters: Any) -> AsyncIterator[Json]:
        """Your conversations, newest first."""
        return self._pages("/v1/conversations", "before", filters)

    async def get_conversation(self, conversation: str) -> Json:
        """One conversation."""
        return await self._requests.json("GET", f"/v1/conversations/{_in_path(conversation)}", again=True)

    async def update_conversation(self, conversation: str, **changes: Any) -> Json:
        """Change what is given and leave the rest."""
        path = f"/v1/conversations/{_in_path(conversation)}"
        return await self._requests.json("PATCH", path, json=changes, again=True)

    async def delete_conversation(self, conversation: str) -> None:
        """Delete it with its messages and runs."""
        await self._requests.json("DELETE", f"/v1/conversations/{_in_path(conversation)}")

    def messages(self, conversation: str, **filters: Any) -> AsyncIterator[Json]:
        """The messages of a conversation, oldest first."""
        return self._pages(f"/v1/conversations/{_in_path(conversation)}/messages", "after", filters)

    async def models(self) -> list[Json]:
        """The catalogue; the first is the default."""
        answer = await self._requests.json("GET", "/v1/models", again=True)
        return [model for model in answer.get("data", []) if isinstance(model, dict)]

    async def _pages(self, path: str, mark: str, filters: Json) -> AsyncIterator[Json]:
        params = dict(filters)
        while True:
            page = await self._requests.json("GET", path, params=params, again=True)
            for item in page.get("items", []):
                yield item
            if not page.get("next"):
                return
            params[mark] = page["next"]


def _in_path(part: str) -> str:
    return quote(part, safe="")

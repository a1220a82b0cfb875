"""Notifications: what you are told of when you are away, and what became of it. A part of `Studio`."""

import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import quote

from studio_client.requests import Requests

Json = dict[str, Any]

Pages = Callable[[str, str, Json], AsyncIterator[Json]]

BASE = "/v1/notifications"
HOOKS = f"{BASE}/webhooks"


class Notifications:
    """The routes about notifications and webhooks. All methods that ask raise ApiError and UnreachableError.

    What a run itself wants is said when it begins: `studio.send("Hello", notify="always")`.
    """

    def __init__(self, requests: Requests, pages: Pages) -> None:
        self._requests, self._pages = requests, pages

    async def preferences(self) -> Json:
        """What you want to hear of, and where."""
        return await self._requests.json("GET", f"{BASE}/preferences", again=True)

    async def update_preferences(self, **changes: Any) -> Json:
        """Change what is given and leave the rest: `policy`, `longer_than_seconds`, `email`, `webhook`."""
        return await self._requests.json("PATCH", f"{BASE}/preferences", json=changes, again=True)

    def all(self, **filters: Any) -> AsyncIterator[Json]:
        """What was sent, is on its way, or is not sent, newest first. `filters`: `run_id`, `limit`."""
        return self._pages(BASE, "before", filters)

    async def retry(self, notification: str) -> Json:
        """Send once more what was given up."""
        return await self._requests.json("POST", f"{BASE}/{_in_path(notification)}/retry", again=True)

    async def webhooks(self) -> list[Json]:
        """Your webhooks, newest first."""
        answer = await self._requests.json("GET", HOOKS, again=True)
        return [webhook for webhook in answer.get("items", []) if isinstance(webhook, dict)]

    async def add_webhook(self, url: str, description: str = "", *, key: str | None = None) -> Json:
        """Have a URL called. The `secret` that signs the calls is in this answer, and in no other.

        The same `key`, for one that is added again after a crash, gives the same webhook, without its secret. So
        a lost connection is an error here: look at `webhooks`, and at `rotate_secret`.
        """
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        body = {"url": url, "description": description}
        return await self._requests.json("POST", HOOKS, json=body, headers=headers)

    async def update_webhook(self, webhook: str, **changes: Any) -> Json:
        """Change what is given and leave the rest: `url`, `description`, `enabled`."""
        return await self._requests.json("PATCH", f"{HOOKS}/{_in_path(webhook)}", json=changes, again=True)

    async def delete_webhook(self, webhook: str) -> None:
        """Have it called no more."""
        await self._requests.json("DELETE", f"{HOOKS}/{_in_path(webhook)}")

    async def rotate_secret(self, webhook: str) -> Json:
        """A new `secret`, in this answer and in no other. For a time calls are signed with the earlier one as well."""
        return await self._requests.json("POST", f"{HOOKS}/{_in_path(webhook)}/secret")

    async def try_webhook(self, webhook: str) -> Json:
        """Have it called now, with an event of the type `test`: the `status` of its answer, or the `problem`."""
        return await self._requests.json("POST", f"{HOOKS}/{_in_path(webhook)}/try")


def _in_path(part: str) -> str:
    return quote(part, safe="")

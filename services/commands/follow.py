"""One run from the client's side: start it once, follow it through dropped connections, stop it."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kit.runtime.errors import StartError
from services.commands.answer import Answer
from services.commands.client import CONNECT_SECONDS, Target, problem_text
from services.commands.sse import read_events

if TYPE_CHECKING:
    import aiohttp

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 2.0
GIVE_UP_SECONDS = 60.0  # without one event; the run itself goes on
SILENCE_SECONDS = 45.0  # the server sends at least a comment every 15 s
CANCEL_SECONDS = 10.0
END_SECONDS = 5.0  # from "cancelled" to the last event

AGAIN = frozenset({429, 502, 503, 504})


class Conversation:
    """One question. `stream` returns when the run has ended."""

    def __init__(self, target: Target, question: str, model: str | None) -> None:
        self._target = target
        self._body = {"content": question} | ({"model": model} if model else {})
        self._key = str(uuid.uuid4())  # a POST that is repeated starts the same run, not a second one
        self._session: aiohttp.ClientSession | None = None
        self._run_id: str | None = None
        self._cursor = ""
        self._heard = 0.0

    async def stream(self, answer: Answer, note: Callable[[str], None]) -> None:
        """Give every event to `answer`. Raises StartError when it cannot be started or followed any more."""
        import aiohttp

        self._session = self._session or self._open()
        self._heard = time.monotonic()
        pause, first = FIRST_PAUSE_SECONDS, True
        while answer.ending is None:
            heard = self._heard
            reason: object = "the connection was closed"
            try:
                await self._read(answer)
            except (aiohttp.ClientError, OSError) as error:
                if first and isinstance(error, aiohttp.ClientConnectorError):
                    raise self._target.unreachable(error.strerror or error) from None
                reason = _in_words(error)
            if answer.ending is not None:
                return
            first = False
            pause = FIRST_PAUSE_SECONDS if self._heard > heard else min(pause * 2, LONGEST_PAUSE_SECONDS)
            if time.monotonic() - self._heard > GIVE_UP_SECONDS:
                where = f"{self._target.url}/v1/runs/{self._run_id}" if self._run_id else self._target.url
                raise StartError(f"the connection is lost ({reason}); the run goes on, look again at {where}")
            note(f"[connection lost: {reason}; trying again in {pause:.1f} s]")
            await asyncio.sleep(pause)

    async def cancel(self, reading: asyncio.Task[None], answer: Answer) -> str:
        """Stop the run, wait a moment for its last words; returns what to tell the user. Raises StartError."""
        import aiohttp

        if self._run_id is None or self._session is None:
            return "stopped before the server had answered; if it had started, the run goes on"
        url = f"{self._target.url}/v1/runs/{self._run_id}/cancel"
        try:
            async with asyncio.timeout(CANCEL_SECONDS), self._session.post(url) as response:
                if response.status >= 400:
                    raise StartError(f"not cancelled: {problem_text(response.status, await response.text())}")
        except (aiohttp.ClientError, OSError) as error:
            raise StartError(f"not cancelled, the run goes on: {error or type(error).__name__}") from None
        await asyncio.wait({reading}, timeout=END_SECONDS)
        return "" if answer.ending else "the run is being cancelled"

    async def close(self) -> None:
        """Close the connections; that does not stop a run."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> "aiohttp.ClientSession":
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS)
        return aiohttp.ClientSession(
            headers={**self._target.headers, "Accept": "text/event-stream"}, timeout=timeout, read_bufsize=2**20
        )

    def _request(self) -> Any:
        if self._session is None:
            raise RuntimeError("not open")
        if self._run_id is None:
            url = f"{self._target.url}/v1/conversations/new/messages"
            return self._session.post(url, json=self._body, headers={"Idempotency-Key": self._key})
        headers = {"Last-Event-ID": self._cursor} if self._cursor else {}
        return self._session.get(f"{self._target.url}/v1/runs/{self._run_id}/events", headers=headers)

    async def _read(self, answer: Answer) -> None:
        async with self._request() as response:
            if response.status == 204:
                raise StartError("the run has ended, but its ending was not seen; look at its conversation")
            if response.status in AGAIN and self._run_id is not None:
                raise OSError(problem_text(response.status, await response.text()))
            if response.status >= 400:
                raise StartError(problem_text(response.status, await response.text()))
            if location := response.headers.get("Location"):
                self._run_id = _run_id_in(location) or self._run_id
            async for event in read_events(response.content.iter_any(), self._cursor):
                self._heard = time.monotonic()
                self._cursor = event.id
                self._take(event.type, event.data, answer)
                if answer.ending is not None:
                    return

    def _take(self, kind: str, data: str, answer: Answer) -> None:
        try:
            body = json.loads(data)
        except ValueError:
            return
        if isinstance(body, dict):
            self._run_id = self._run_id or body.get("run_id")
            answer.on_event(str(body.get("type", kind)), body)


def _in_words(error: Exception) -> str:
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorError):
        return "nobody answers"
    return "the connection broke" if isinstance(error, aiohttp.ClientError) else str(error) or "silence"


def _run_id_in(location: str) -> str | None:
    _, found, rest = location.partition("/runs/")
    return rest.partition("/")[0].partition("?")[0] or None if found else None

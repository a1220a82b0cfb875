"""One run, followed to its end over any number of connections."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from studio_client.errors import ApiError, LostError, UnreachableError
from studio_client.events import Event, event_in
from studio_client.patience import Backoff, Loss, Patience
from studio_client.requests import Requests, in_words, refused_for_now
from studio_client.sse import Parser
from studio_client.transcript import Transcript

CLOSED = "the connection was closed"


@dataclass(frozen=True, slots=True)
class Beginning:
    """The request that starts a run. It is sent again under the same key until it is answered: that makes one run."""

    path: str
    body: Mapping[str, Any]
    key: str


class Run:
    """An asynchronous iterator of the run's events; each comes once. Use it as a context, or `close()` it.

    Leaving does not stop the run: `cancel()` does.
    """

    def __init__(
        self,
        requests: Requests,
        patience: Patience,
        *,
        beginning: Beginning | None = None,
        run_id: str = "",
        cursor: str = "",
        on_loss: Callable[[Loss], None] | None = None,
    ) -> None:
        self.id = run_id
        """Empty until the server has answered; `start()` waits for that."""
        self.cursor = cursor
        """Of the last event that was told."""
        self.transcript = Transcript(run_id=run_id)
        """What was told, folded."""
        self.over = False
        """Whether there is nothing more to tell. `transcript.ending` says how it ended, if this client was told."""
        self._requests, self._patience, self._on_loss = requests, patience, on_loss
        self._beginning = beginning
        self._backoff = Backoff(patience)
        self._ready: deque[Event] = deque()
        self._connection = AsyncExitStack()
        self._chunks: AsyncIterator[bytes] | None = None
        self._parser = Parser(cursor)

    def __aiter__(self) -> Self:
        """The events that were not told yet."""
        return self

    async def __anext__(self) -> Event:
        """The next event. Raises ApiError, UnreachableError, LostError."""
        while not self._ready:
            if self.over:
                raise StopAsyncIteration
            await self.start()
            await self._read()
        event = self._ready.popleft()
        self.cursor = event.cursor
        self.transcript.apply(event)
        self.id = self.id or self.transcript.run_id
        if self.transcript.ending is not None:
            self.over = True
            await self.close()
        return event

    async def start(self) -> Self:
        """Connect and wait for the server's answer. Raises ApiError, UnreachableError, LostError."""
        while self._chunks is None and not self.over and not self._ready:
            try:
                await self._connect()
            except httpx.HTTPError as error:
                await self._lost(in_words(error))
        return self

    async def wait(self) -> Transcript:
        """Follow to the end; returns all that was said. Raises ApiError, UnreachableError, LostError."""
        async for _ in self:
            pass
        return self.transcript

    async def cancel(self) -> dict[str, Any]:
        """Stop it; what was written is kept. The ending comes as an event. Raises ApiError, UnreachableError."""
        if not self.id:
            await self.start()
        return await self._requests.json("POST", f"/v1/runs/{self.id}/cancel", again=True)

    async def close(self) -> None:
        """Leave the connection. The run goes on; so can this, with its next event."""
        self._chunks = None
        connection, self._connection = self._connection, AsyncExitStack()
        await connection.aclose()

    async def __aenter__(self) -> Self:
        """Close it at the end of the block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    async def _connect(self) -> None:
        response = await self._connection.enter_async_context(self._open())
        self._requests.reached = True
        if response.status_code == 204:
            self.over = True
        elif response.status_code != 200:
            await response.aread()
            await self._refused(response)
        else:
            self.id = self.id or _run_id(response.headers.get("location", ""))
            self._parser = Parser(self.cursor)
            self._chunks = response.aiter_bytes()

    def _open(self) -> Any:
        """The first request until it has told the run's id, then the run's events from the cursor on."""
        if self._beginning is not None and not self.id:
            begin = self._beginning
            return self._requests.stream("POST", begin.path, json=begin.body, headers={"Idempotency-Key": begin.key})
        headers = {"Last-Event-ID": self.cursor} if self.cursor else {}
        return self._requests.stream("GET", f"/v1/runs/{self.id}/events", headers=headers)

    async def _refused(self, response: httpx.Response) -> None:
        error, wait = refused_for_now(response)
        if wait is None:
            await self.close()
            raise error
        await self._lost(str(error), wait, error)

    async def _read(self) -> None:
        """Wait for bytes, or for the end of the connection."""
        if self._chunks is None:
            return
        try:
            chunk = await anext(self._chunks, None)
        except httpx.HTTPError as error:
            await self._lost(in_words(error))
            return
        if chunk is None:
            await self._lost(CLOSED)
            return
        frames = self._parser.feed(chunk)
        told = [event for event in map(event_in, frames) if event is not None]
        if not frames or not all(map(_is_come_back, told)):
            self._backoff.heard()
        if not all(map(_is_come_back, told)):
            self._backoff.progressed()
        self._ready.extend(told)
        self._backoff.told(self._parser.retry_ms)

    async def _lost(self, reason: str, at_least: float = 0.0, refusal: ApiError | None = None) -> None:
        """Wait before the next try. Raises if it is time to give up."""
        await self.close()
        pause = self._backoff.next_pause(time.monotonic(), at_least, reached=self._requests.reached)
        if pause is None:
            if self.id:
                raise LostError(self.id, self.cursor, reason)
            raise refusal or UnreachableError(self._requests.url, reason)
        if self._on_loss is not None:
            self._on_loss(Loss(reason, pause))
        await asyncio.sleep(pause)


def _is_come_back(event: Event) -> bool:
    """The server says that it can tell nothing now: it stops, or its bus is away."""
    return event.type == "notice" and event.data.get("code") == "reconnect"


def _run_id(location: str) -> str:
    _, _, rest = location.partition("/runs/")
    return rest.partition("/")[0].partition("?")[0]

"""Starting what OpenAI's clients ask for, and what becomes of it when they go."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from fastapi import Request, Response
from pydantic import ValidationError

from contracts import events
from contracts.chat_values import RunStarted
from contracts.completions import StartCompletion
from kit.auth.principal import Principal
from kit.refusal import Refused
from services.edge.collect import Result, begin_and_wait
from services.edge.follow import RUN_HEADER, Headers, Watch, begin_run
from services.edge.gateway import Gateway, run_key
from services.edge.openai import errors
from services.edge.wires.wire import Wire

ANSWERED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The object; with `stream` its events.",
        "content": {"application/json": {}, "text/event-stream": {}},
    }
}
"""What a route answers that may stream."""


class Serving:
    """One request that starts a run."""

    def __init__(self, gateway: Gateway, caller: Principal, command: StartCompletion, *, kept: bool) -> None:
        """`kept`: the run goes on when its client is gone."""
        self.closed = False
        self._gateway, self._caller, self._command, self._kept = gateway, caller, command, kept
        self._waiting: asyncio.Task[tuple[RunStarted, Result]] | None = None

    async def stream(self, wire: Wire) -> Response:
        """The answer as it comes. Raises Refused, Unavailable, LogUnavailableError."""
        watch = Watch(self._caller, wire, headers=_headers, on_gone=self._leave)
        try:
            return await begin_run(self._gateway, watch, self._command, self._command.run_id, None)
        except Refused:
            raise
        except BaseException:
            self._leave(self._command.run_id)  # it may have begun, or begin yet
            raise

    async def whole(self, request: Request, show: Callable[[RunStarted, Result], Awaitable[Response]]) -> Response:
        """The answer when it is there. Raises Refused, Unavailable, LogUnavailableError."""
        waiting = begin_and_wait(self._gateway, self._caller, self._command, self._command.run_id)
        self._waiting = asyncio.create_task(waiting)
        gone = asyncio.create_task(_until_gone(request))
        self._gateway.streams.add(self)
        try:
            await asyncio.wait({self._waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not self._waiting.done() or self._waiting.cancelled():
                self._leave(self._command.run_id)
                return errors.response(*errors.STOPPING)
            started, result = self._waiting.result()
            response = await show(started, result)
            self._gateway.audience.saw(run_key(self._caller, started.run_id))
            return response
        except Refused:
            raise
        except BaseException:
            self._leave(self._command.run_id)
            raise
        finally:
            self._gateway.streams.remove(self)
            for task in (self._waiting, gone):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

    resumes = False

    def end_softly(self) -> None:
        """Tell the client to ask again: the process stops."""
        self.closed = True
        if self._waiting is not None:
            self._waiting.cancel()

    def _leave(self, run_id: str) -> None:
        if not self._kept:
            self._gateway.left.leave(self._command.owner, run_id)


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """What our own types do not take of a body was not looked at before: half a character, say. Raises Mistake."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise errors.Mistake(None, f"The request cannot be read ({place}): {first['msg']}") from error


def failure(result: Result, run_id: str) -> Response | None:
    """The answer to who waited for a run that failed; None if it did not."""
    if not isinstance(result.ending, events.RunFailed):
        return None
    error = result.ending.error
    return errors.response(error.code, error.message, headers={RUN_HEADER: run_id}, again=False)


def _headers(started: RunStarted) -> Headers:
    return [(RUN_HEADER.encode(), started.run_id.encode())]


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass

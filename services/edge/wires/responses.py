"""A run as the events of OpenAI's responses: log events in, frames out.

Their numbers are a function of the log told event by event (`whole`), so they are the same whenever and wherever it is
told, and a client goes on behind the last number it has. What is stored of a run whose log is gone is told as fewer
events; who asks for what lies behind their end is told the last one.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from contracts import events
from kit.runlog.reads import LogMessage
from services.edge.openai import errors
from services.edge.openai.asked import Asked
from services.edge.openai.output import Output, Told
from services.edge.openai.response_object import State, ended, response
from services.edge.openai.telling import Telling
from services.edge.wires.wire import SSE_HEADERS, SSE_HEARTBEAT, OnePart

_encode = msgspec.json.encode


class ResponsesWire(OnePart):
    """Tells a run to one client, from the event behind `starting_after` on."""

    headers = SSE_HEADERS
    heartbeat = SSE_HEARTBEAT
    whole = True
    breaks_off = False
    resumes = False

    def __init__(self, asked: Asked, *, starting_after: int = -1) -> None:
        self.complete = False
        self._asked, self._after = asked, starting_after
        self._telling = Telling()
        self._output = Output("", summary=False)
        self._number = -1
        self._run_id, self._model, self._created_at = "", "", 0
        self._under_way = False

    def open(self, epoch: str, reset: str = "") -> bytes:
        """Nothing: the numbers are the cursors."""
        return b""

    def frames(self, messages: Sequence[LogMessage]) -> bytes:
        """The events of the next events of the log."""
        told = [events.decode(message.payload) for message in messages]
        return b"".join([self.take(event) for event in told if event is not None])

    def leaving(self, milliseconds: int) -> bytes:
        """An error that is no event of the response: it has the number of the last one, to go on behind it."""
        code, message = errors.STOPPING
        return self._error(code, message)

    def ended(self) -> bytes:
        """Nothing, unless the log was purged before the ending was told."""
        return b"" if self.complete else self._error(*errors.GONE)

    def take(self, event: events.Event) -> bytes:
        """The frames of the next event of the log."""
        if self.complete:
            return b""
        return b"".join([self._frame(*told) for told in self._tell(event)])

    def _tell(self, event: events.Event) -> Iterator[Told]:
        pieces = list(self._telling.take(event))
        if isinstance(event, events.RunCreated):
            yield from self._begin(event)
        if isinstance(event, events.GenerationStarted):
            yield from self._go()
        for piece in pieces:
            yield from self._go()
            yield from self._output.take(piece)
        if self._telling.ended is not None or self._telling.broken is not None:
            yield from self._end(event.at)

    def _begin(self, created: events.RunCreated) -> Iterator[Told]:
        self._run_id = created.run_id
        self._output = Output(created.run_id, summary=self._asked.wishes.summary is not None)
        self._model = created.generations[0].model if created.generations else ""
        self._created_at = created.at
        background = self._asked.wishes.background
        first = State("queued" if background else "in_progress")
        yield "response.created", self._response(first)
        if background:
            yield "response.queued", self._response(first)
        else:
            yield from self._go()

    def _go(self) -> Iterator[Told]:
        if not self._under_way:
            self._under_way = True
            yield "response.in_progress", self._response(State("in_progress"))

    def _end(self, at: int) -> Iterator[Told]:
        yield from self._go()
        state = self._state(at)
        yield from self._output.close(state.item_status)
        state.output.extend(self._output.items)
        kind = "incomplete" if state.status == "cancelled" else state.status
        self.complete = True
        yield f"response.{kind}", self._response(state)

    def _state(self, at: int) -> State:
        ending = self._telling.ending
        return ended(
            "cancelled" if isinstance(self._telling.ended, events.RunCancelled) else "completed",
            ending.finish_reason if isinstance(ending, events.GenerationCompleted) else None,
            self._telling.error,
            at=at,
            usage=ending.usage if ending else None,
        )

    def _response(self, state: State) -> dict[str, Any]:
        return {"response": response(self._run_id, self._asked, self._model, self._created_at, state)}

    def _frame(self, kind: str, fields: dict[str, Any]) -> bytes:
        self._number += 1
        if self._number <= self._after and not self.complete:
            return b""
        event = {"type": kind, "sequence_number": self._number, **fields}
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), _encode(event))

    def _error(self, code: str, message: str) -> bytes:
        event = {
            "type": "error", "sequence_number": max(self._number, 0), "code": code, "message": message, "param": None
        }  # fmt: skip
        return b"event: error\ndata: %b\n\n" % _encode(event)

"""A comparison of two models as the predecessor's clients read it: `{modelId, type, …}`, `model1` and `model2`.

They only append, resume nothing, and take an `error` or a `finish` for a model's end.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from contracts import events
from kit.runlog.reads import LogMessage
from services.edge.wires.lane import FINISH, Kind, Lane
from services.edge.wires.telling import RECONNECT
from services.edge.wires.wire import SSE_HEADERS, SSE_HEARTBEAT, OnePart

_encode = msgspec.json.Encoder().encode

GONE = "This answer is not here any more."
AGAIN = "The model begins again: what it has said before is void."
STOPPED = "This answer was stopped."
_PARAGRAPH = "\n\n"


class _Model:
    """One of the two."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.lane = Lane(self)

    def said(self, kind: Kind, text: str) -> bytes:
        """There is no word for reasoning."""
        return self._frame("content", chunk=text) if kind == "text" else b""

    def taken_back(self, kind: Kind) -> bytes:
        """There is no word for that either: it is said to the user."""
        if kind != "text":
            return b""
        return self._frame("warning", warning=AGAIN) + self._frame("content", chunk=_PARAGRAPH)

    def take(self, event: events.Event) -> bytes:
        """What an event of its lane adds."""
        if self.lane.finish is not None:
            return b""
        match event:
            case events.GenerationDelta():
                return self.lane.add("text", event.text)
            case events.GenerationRestarted():
                self.lane.begin_anew()
            case events.GenerationSnapshot():
                return self.lane.whole(event)
            case events.GenerationCompleted():
                return self.lane.end(event) + self._finish(FINISH[event.finish_reason], event.usage)
            case events.GenerationFailed():
                return self.lane.end(event) + self._failed(event.error.message)
            case events.GenerationCancelled():
                return self.lane.end(event) + self._failed(STOPPED)
        return b""

    def broken(self, message: str) -> bytes:
        """Nothing more comes; nothing to say if it has ended."""
        return self._failed(message) if self.lane.finish is None else b""

    def _failed(self, message: str) -> bytes:
        return self._frame("error", error=message) + self._finish("error", None)

    def _finish(self, reason: str, usage: events.Usage | None) -> bytes:
        told: dict[str, Any] = {"finishReason": reason}
        if usage is not None:
            told["usage"] = {
                "promptTokens": usage.input_tokens,
                "completionTokens": usage.output_tokens,
                "totalTokens": usage.input_tokens + usage.output_tokens,
            }
        return self._frame("finish", **told)

    def _frame(self, kind: str, **fields: Any) -> bytes:
        return b"data: %b\n\n" % _encode({"modelId": self._name, "type": kind, **fields})


class TwoModelsWire(OnePart):
    """Tells a comparison to one client, always from its start."""

    headers = SSE_HEADERS
    heartbeat = SSE_HEARTBEAT
    whole = False
    complete = False
    breaks_off = False
    resumes = False

    def __init__(self) -> None:
        self._models: dict[str, _Model] = {}

    def open(self, epoch: str, reset: str = "") -> bytes:
        """Nothing: there are no cursors here."""
        return b""

    def frames(self, messages: Sequence[LogMessage]) -> bytes:
        """What the events add."""
        told = [events.decode(message.payload) for message in messages]
        return b"".join([self._take(event) for event in told if event is not None])

    def leaving(self, milliseconds: int) -> bytes:
        """An error: nobody can go on with this stream elsewhere."""
        return b"".join([model.broken(RECONNECT) for model in self._models.values()])

    def ended(self) -> bytes:
        """Nothing, unless the log was purged before the endings were told."""
        return b"".join([model.broken(GONE) for model in self._models.values()])

    def _take(self, event: events.Event) -> bytes:
        if isinstance(event, events.RunCreated):
            names = [plan.lane for plan in event.generations]
            self._models = {lane: _Model(f"model{number}") for number, lane in enumerate(names, start=1)}
        model = self._models.get(event.lane)
        return b"" if model is None else model.take(event)

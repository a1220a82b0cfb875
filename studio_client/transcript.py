"""What a run has said: its events folded to one text per lane. Values in, values out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from studio_client.events import ENDINGS, Event

WHOLE = frozenset({"generation.snapshot", "generation.completed", "generation.failed", "generation.cancelled"})
"""These may carry all that the lane has said: in a replay often nothing else is told of it."""

MAIN = "main"
"""The one generation of a chat."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a tool; `arguments` is the JSON text that it wrote."""

    call_id: str
    name: str
    arguments: str


@dataclass
class Lane:
    """One generation."""

    model: str = ""
    outcome: str | None = None
    """`completed`, `failed` or `cancelled`; None while it goes on."""
    tool_calls: tuple[ToolCall, ...] = ()
    ending: Mapping[str, Any] = field(default_factory=dict)
    """The data of the ending: `finish_reason`, `usage`, `cost_usd`, `error`."""
    _text: list[str] = field(default_factory=list)
    _reasoning: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The answer so far."""
        return _joined(self._text)

    @property
    def reasoning(self) -> str:
        """The model's visible thinking so far."""
        return _joined(self._reasoning)

    def apply(self, event: Event) -> None:
        """Take one event of this lane."""
        kind, data = event.type, event.data
        self.model = str(data.get("model") or self.model)
        if kind == "generation.delta":
            self._text.append(str(data.get("text", "")))
        elif kind == "generation.reasoning":
            self._reasoning.append(str(data.get("text", "")))
        elif kind == "generation.tool_call":
            self.tool_calls += tuple(_calls([data]))
        elif kind == "generation.restarted":
            self._text, self._reasoning, self.tool_calls = [], [], ()
        elif kind in WHOLE:
            self._replace(data, everything=kind == "generation.snapshot")
            if kind != "generation.snapshot":
                self.outcome, self.ending = kind.removeprefix("generation."), data

    def _replace(self, data: Mapping[str, Any], *, everything: bool) -> None:
        """Take the words that an event carries. An ending that carries none leaves those that were told."""
        text, reasoning, calls = data.get("text"), data.get("reasoning"), data.get("tool_calls")
        if everything or isinstance(text, str):
            self._text = [str(text or "")]
        if everything or isinstance(reasoning, str):
            self._reasoning = [str(reasoning or "")]
        if everything or calls:
            self.tool_calls = tuple(_calls(calls or ()))


@dataclass
class Step:
    """One step of an assistant's run."""

    status: str
    """As the newest event says: `started`, `retrying`, `completed`, `failed`, `skipped`, `cancelled`, or `requested`
    and `decided` of an approval."""
    lane: str | None = None
    """The lane of its newest answer."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """Of the newest event: `done` and `total` of the run, `error`, `reason`, `instructions` …"""


@dataclass
class Transcript:
    """One run, whatever its kind: a chat has the lane `main`, others have several."""

    run_id: str = ""
    kind: str = ""
    conversation_id: str | None = None
    message_id: str | None = None
    ending: str | None = None
    """`run.completed`, `run.failed` or `run.cancelled`; None while it goes on."""
    error: Mapping[str, Any] | None = None
    """Why the run failed: `code` and `message`."""
    lanes: dict[str, Lane] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    """Of an assistant's run: those of which something was told, by name."""

    def apply(self, event: Event) -> None:
        """Take one event. Unknown types change nothing."""
        kind, data = event.type, event.data
        if kind == "reset":  # the cursor's log is gone, and all is told again
            self.lanes, self.steps, self.ending, self.error = {}, {}, None, None
        elif kind == "run.created":
            self.run_id, self.kind = str(data.get("run_id", "")), str(data.get("kind", ""))
            self.conversation_id, self.message_id = data.get("conversation_id"), data.get("message_id")
        elif kind in ENDINGS:
            self.ending, self.error = kind, data.get("error")
        elif kind.startswith("generation."):
            self.lanes.setdefault(event.lane, Lane()).apply(event)
        elif kind.startswith(("step.", "approval.")):
            name = str(data.get("step", ""))
            before = self.steps[name].lane if name in self.steps else None
            self.steps[name] = Step(kind.partition(".")[2], data.get("generation") or before, data)

    def text(self, lane: str = MAIN) -> str:
        """What a lane has said; empty if it has not begun."""
        return self.lanes[lane].text if lane in self.lanes else ""

    def output(self, step: str) -> str:
        """What a step of an assistant's run has said: its newest attempt. Empty if it has said nothing that counts."""
        known = self.steps.get(step)
        return "" if known is None or known.lane is None or known.status == "retrying" else self.text(known.lane)


def _joined(pieces: list[str]) -> str:
    if len(pieces) > 1:
        pieces[:] = ["".join(pieces)]
    return pieces[0] if pieces else ""


def _calls(told: Iterable[Any]) -> Iterable[ToolCall]:
    for call in told:
        yield ToolCall(str(call.get("call_id", "")), str(call.get("name", "")), str(call.get("arguments", "")))

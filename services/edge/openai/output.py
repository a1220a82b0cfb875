"""The items of a response's output as an answer grows: each with the events that tell of it.

What is joined is one item: a text, a thought. A tool's call is one by itself. So is what comes after one.
"""

from collections.abc import Iterator
from typing import Any

from contracts import events
from services.edge.openai import ids
from services.edge.openai.telling import Called, Piece, Said, Thought

Told = tuple[str, dict[str, Any]]
"""The type of an event, and what it carries beside its number."""


class Output:
    """The items so far; at most one of them is open."""

    def __init__(self, run_id: str, *, summary: bool) -> None:
        """`summary`: thinking is told as a summary of it."""
        self.items: list[dict[str, Any]] = []
        """Those that are closed."""
        self._run_id, self._summary = run_id, summary
        self._counts: dict[str, int] = {}
        self._open: _Text | None = None

    def take(self, piece: Piece) -> Iterator[Told]:
        """More of the answer."""
        if isinstance(piece, Called):
            yield from self.close("completed")
            yield from self._call(piece.call)
            return
        kind = _Message if isinstance(piece, Said) else _Summary if self._summary else _Reasoning
        anew = isinstance(piece, Thought) and piece.anew
        if type(self._open) is not kind or anew:
            yield from self.close("completed")
            self._open = kind(self._id(kind.prefix), len(self.items))
            yield from self._open.begin()
        assert self._open is not None  # noqa: S101
        yield self._open.more(piece.text)

    def close(self, status: str) -> Iterator[Told]:
        """End the open item, if there is one: `completed`, or `incomplete` if the answer breaks off in it."""
        if self._open is None:
            return
        yield from self._open.end(status)
        self.items.append(self._open.item(status))
        self._open = None

    def _call(self, call: events.ToolCall) -> Iterator[Told]:
        place = {"item_id": self._id("fc"), "output_index": len(self.items)}
        item = {"id": place["item_id"], "type": "function_call", "call_id": call.call_id, "name": call.name}
        begun = {**item, "arguments": "", "status": "in_progress"}
        done = {**item, "arguments": call.arguments, "status": "completed"}
        index = place["output_index"]
        yield "response.output_item.added", {"output_index": index, "item": begun}
        yield "response.function_call_arguments.delta", {**place, "delta": call.arguments}
        yield "response.function_call_arguments.done", {**place, "name": call.name, "arguments": call.arguments}
        yield "response.output_item.done", {"output_index": index, "item": done}
        self.items.append(done)

    def _id(self, prefix: str) -> str:
        self._counts[prefix] = self._counts.get(prefix, 0) + 1
        return ids.item_id(prefix, self._run_id, self._counts[prefix])


class _Text:
    """An item that is one text. What differs between its kinds is words."""

    prefix: str
    part_event = "response.content_part"
    text_event: str
    index = "content_index"
    with_logprobs: dict[str, Any] = {}  # noqa: RUF012

    def __init__(self, item_id: str, place: int) -> None:
        self._item_id, self._place = item_id, place
        self._where = {"item_id": item_id, "output_index": place, self.index: 0}
        self._pieces: list[str] = []

    def begin(self) -> Iterator[Told]:
        yield "response.output_item.added", {"output_index": self._place, "item": self.item("in_progress", empty=True)}
        yield f"{self.part_event}.added", {**self._where, "part": self.part("")}

    def more(self, text: str) -> Told:
        self._pieces.append(text)
        return f"{self.text_event}.delta", {**self._where, "delta": text, **self.with_logprobs}

    def end(self, status: str) -> Iterator[Told]:
        text = "".join(self._pieces)
        yield f"{self.text_event}.done", {**self._where, "text": text, **self.with_logprobs}
        yield f"{self.part_event}.done", {**self._where, "part": self.part(text)}
        yield "response.output_item.done", {"output_index": self._place, "item": self.item(status)}

    def item(self, status: str, *, empty: bool = False) -> dict[str, Any]:
        parts = [] if empty else [self.part("".join(self._pieces))]
        return {"id": self._item_id, "status": status, **self.fields(parts)}

    def part(self, text: str) -> dict[str, Any]:
        raise NotImplementedError

    def fields(self, parts: list[dict[str, Any]]) -> dict[str, Any]:
        raise NotImplementedError


class _Message(_Text):
    prefix = "msg"
    text_event = "response.output_text"
    with_logprobs = {"logprobs": []}  # noqa: RUF012

    def part(self, text: str) -> dict[str, Any]:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}

    def fields(self, parts: list[dict[str, Any]]) -> dict[str, Any]:
        return {"type": "message", "role": "assistant", "content": parts}


class _Reasoning(_Text):
    prefix = "rs"
    text_event = "response.reasoning_text"

    def part(self, text: str) -> dict[str, Any]:
        return {"type": "reasoning_text", "text": text}

    def fields(self, parts: list[dict[str, Any]]) -> dict[str, Any]:
        return {"type": "reasoning", "summary": [], "content": parts}


class _Summary(_Text):
    prefix = "rs"
    part_event = "response.reasoning_summary_part"
    text_event = "response.reasoning_summary_text"
    index = "summary_index"

    def part(self, text: str) -> dict[str, Any]:
        return {"type": "summary_text", "text": text}

    def fields(self, parts: list[dict[str, Any]]) -> dict[str, Any]:
        return {"type": "reasoning", "summary": parts}

"""The events of Anthropic's Messages API, and what they mean in our words (anthropic 2.14, `raw_message_stream_event`).

Usage is told twice, and only what the second one has replaces the first. `input_tokens` is without what came from the
cache or went there; ours is with it, as OpenAI counts.
"""

from typing import Any, ClassVar

from services.inference.providers.base import Chunk, Usage
from services.inference.providers.errors import error_from_stream
from services.inference.providers.growing_answer import GrowingAnswer
from services.inference.providers.tool_calls import FunctionDelta, ToolCallDelta

COUNTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")


class AnthropicAnswer(GrowingAnswer):
    """One streamed message."""

    REASONS: ClassVar = {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "pause_turn": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "tool_use": "tool_calls",
        "refusal": "content_filter",
    }

    def __init__(self, secrets: tuple[str, ...] = (), blanks: str = "") -> None:
        super().__init__(secrets, blanks)
        self._counts: dict[str, int] = {}

    def take(self, event: Any) -> list[Chunk]:
        """What one event says. Raises ProviderError."""
        match getattr(event, "type", None):
            case "message_start":
                self.heard = True
                self._count(getattr(event.message, "usage", None))
            case "content_block_start":
                self._begin(event.index, event.content_block)
            case "content_block_delta":
                self.heard = True
                return self._delta(event.index, event.delta)
            case "message_delta":
                self._count(getattr(event, "usage", None))
                if event.delta.stop_reason:
                    self._ended(str(event.delta.stop_reason))
            case "message_stop":
                self.done = True
            case "error":  # the SDK raises it, unless it has another name on the wire
                raise error_from_stream(getattr(event, "error", None), secrets=self._secrets)
        return []

    def _begin(self, index: int, block: Any) -> None:
        if block.type == "tool_use":
            self._calls.add([ToolCallDelta(index, block.id, FunctionDelta(block.name))])

    def _delta(self, index: int, delta: Any) -> list[Chunk]:
        match delta.type:
            case "text_delta":
                return self._say(delta.text)
            case "thinking_delta":
                return self._think(delta.thinking, index)
            case "input_json_delta":
                self._calls.add([ToolCallDelta(index, None, FunctionDelta(None, delta.partial_json))])
        return []

    def _count(self, usage: Any) -> None:
        if usage is None:
            return
        for name in COUNTS:
            if isinstance(count := getattr(usage, name, None), int):
                self._counts[name] = max(count, 0)
        details = getattr(usage, "output_tokens_details", None)
        if isinstance(count := getattr(details, "thinking_tokens", None), int):
            self._counts["thinking"] = max(count, 0)
        got = self._counts.get
        self._usage = Usage(
            input_tokens=sum(got(name, 0) for name in COUNTS[:3]),
            output_tokens=got("output_tokens", 0),
            reasoning_tokens=got("thinking", 0),
            cached_input_tokens=got("cache_read_input_tokens", 0),
        )

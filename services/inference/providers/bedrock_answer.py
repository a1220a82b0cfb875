"""The events of Bedrock's ConverseStream, and what they mean in our words (botocore 1.44, `ConverseStreamOutput`).

The newest event, `metadata`, comes after the end of the answer and has its usage; `inputTokens` is without what came
from the cache or went there, ours is with it.
"""

from typing import Any, ClassVar

from services.inference.providers.base import Chunk, Usage
from services.inference.providers.bedrock_errors import error_of_exception
from services.inference.providers.growing_answer import GrowingAnswer
from services.inference.providers.tool_calls import FunctionDelta, ToolCallDelta

Event = tuple[str, str, dict[str, Any]]
"""Its kind (`event`, `exception` or `error`), its name, and what it says."""


class BedrockAnswer(GrowingAnswer):
    """One streamed answer."""

    REASONS: ClassVar = {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "tool_use": "tool_calls",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "guardrail_intervened": "content_filter",
        "content_filtered": "content_filter",
        "refusal": "content_filter",
    }
    FAILED = frozenset({"malformed_model_output", "malformed_tool_use"})

    def take(self, event: Event) -> list[Chunk]:
        """What one event says. Raises ProviderError."""
        kind, name, told = event
        if kind != "event":
            raise error_of_exception(name, told, self._secrets)
        self.heard = True
        index = told.get("contentBlockIndex", 0)
        match name:
            case "contentBlockStart":
                if use := told.get("start", {}).get("toolUse"):
                    self._calls.add([ToolCallDelta(index, use["toolUseId"], FunctionDelta(use["name"]))])
            case "contentBlockDelta":
                return self._delta(index, told["delta"])
            case "messageStop":
                self._ended(str(told.get("stopReason")))
            case "metadata":
                self._use(told.get("usage") or {})
                self.done = self.reason is not None
        return []

    def _delta(self, index: int, delta: dict[str, Any]) -> list[Chunk]:
        if text := delta.get("text"):
            return self._say(text)
        if thought := delta.get("reasoningContent", {}).get("text"):
            return self._think(thought, index)
        if use := delta.get("toolUse"):
            self._calls.add([ToolCallDelta(index, None, FunctionDelta(None, use.get("input")))])
        return []

    def _use(self, usage: dict[str, Any]) -> None:
        cached, written = usage.get("cacheReadInputTokens", 0), usage.get("cacheWriteInputTokens", 0)
        self._usage = Usage(
            input_tokens=usage.get("inputTokens", 0) + cached + written,
            output_tokens=usage.get("outputTokens", 0),
            cached_input_tokens=cached,
        )

"""The chunks of Gemini's streamed answers, and what they mean in our words (google-genai 3.6, `types.py`).

`candidates_token_count` is without the thoughts, which are paid for as output all the same; ours is with them.
"""

from typing import Any, ClassVar
from uuid import uuid4

import msgspec

from services.inference.providers.base import Chunk, ProviderError, Usage
from services.inference.providers.growing_answer import GrowingAnswer
from services.inference.providers.tool_calls import FunctionDelta, ToolCallDelta


class GeminiAnswer(GrowingAnswer):
    """One streamed answer."""

    REASONS: ClassVar = {
        "STOP": "stop",
        "FUNCTION_CALL": "stop",
        "MAX_TOKENS": "length",
        "CONTINUATION": "length",
        **dict.fromkeys(
            (
                "SAFETY",
                "RECITATION",
                "LANGUAGE",
                "BLOCKLIST",
                "PROHIBITED_CONTENT",
                "SPII",
                "IMAGE_SAFETY",
                "IMAGE_PROHIBITED_CONTENT",
                "IMAGE_RECITATION",
                "ESCALATION",
                "MODEL_ARMOR",
            ),
            "content_filter",
        ),
    }
    FAILED = frozenset(
        {
            "OTHER",
            "MALFORMED_FUNCTION_CALL",
            "UNEXPECTED_TOOL_CALL",
            "TOO_MANY_TOOL_CALLS",
            "MALFORMED_RESPONSE",
            "MISSING_THOUGHT_SIGNATURE",
        }
    )

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        super().__init__(secrets)
        self._count = 0  # of calls

    def take(self, event: Any) -> list[Chunk]:
        """What one chunk says. Raises ProviderError."""
        chunks: list[Chunk] = []
        self._use(event.usage_metadata)
        if (feedback := event.prompt_feedback) is not None and feedback.block_reason is not None:
            raise ProviderError(
                "content_filtered", "The model provider's content filter refused the request.", retryable=False
            )
        for candidate in (event.candidates or ())[:1]:
            self.heard = True
            for part in (candidate.content.parts if candidate.content else None) or ():
                chunks += self._part(part)
            if candidate.finish_reason is not None:
                self._ended(str(getattr(candidate.finish_reason, "value", candidate.finish_reason)))
        return chunks

    def _part(self, part: Any) -> list[Chunk]:
        if part.function_call is not None:
            # Several answers of one conversation must not have the same ids, and not every model gives any.
            call, self._count = part.function_call, self._count + 1
            arguments = msgspec.json.encode(call.args or {}).decode()
            delta = FunctionDelta(call.name, arguments)
            self._calls.add([ToolCallDelta(self._count, call.id or f"call_{uuid4().hex}", delta)])
            return []
        if not part.text:
            return []
        return self._think(part.text, "thought") if part.thought else self._say(part.text)

    def _use(self, usage: Any) -> None:
        if usage is None:
            return
        thoughts = usage.thoughts_token_count or 0
        self._usage = Usage(
            input_tokens=(usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0),
            output_tokens=(usage.candidates_token_count or 0) + thoughts,
            reasoning_tokens=thoughts,
            cached_input_tokens=usage.cached_content_token_count or 0,
        )

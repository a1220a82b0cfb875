"""What answers that come as events of a vendor's SDK have in common: events in, chunks out."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from services.inference.providers.base import Chunk, Finish, FinishReason, ProviderError, Reasoning, Text, Usage
from services.inference.providers.streamed_answer import clean
from services.inference.providers.tool_calls import ToolCalls

logger = logging.getLogger(__name__)


class GrowingAnswer(ABC):
    """One streamed answer.

    `reason`: set once the answer is whole. `done`: nothing more needs to be read. `heard`: anything was understood.
    """

    REASONS: ClassVar[Mapping[str, FinishReason]]
    """What the provider calls the ends of an answer."""
    FAILED: ClassVar[frozenset[str]] = frozenset()
    """Those that mean that the model gave up."""

    def __init__(self, secrets: tuple[str, ...] = (), blanks: str = "") -> None:
        """`blanks`: see `turn_groups.blanks_of`."""
        self.reason: FinishReason | None = None
        self.done = False
        self.heard = False
        self._usage: Usage | None = None
        self._calls = ToolCalls()
        self._secrets = secrets
        self._blanks = blanks
        self._thought: object = None  # the place of the newest thought; a blank line parts those of different places

    @abstractmethod
    def take(self, event: Any) -> list[Chunk]:
        """What one event says. Raises ProviderError."""

    def finish(self) -> list[Chunk]:
        """The calls and the end. Raises ProviderError if the stream ended before it."""
        if self.reason is None:
            if not self.heard:
                raise ProviderError(
                    "provider_bad_response",
                    "The model server did not answer with a stream that can be understood.",
                    retryable=True,
                )
            raise ProviderError(
                "provider_incomplete",
                "The model server ended the stream before the answer was complete.",
                retryable=True,
            )
        calls = self._calls.complete(cut_off=self.reason in ("length", "content_filter"))
        reason: FinishReason = "tool_calls" if calls and self.reason == "stop" else self.reason
        return [*calls, Finish(reason, self._usage)]

    def _ended(self, reason: str) -> None:
        if reason in self.FAILED:
            raise ProviderError(
                "provider_unavailable", "The model server gave up in the middle of the answer.", retryable=True
            )
        known = self.REASONS.get(reason)
        if known is None:
            # The answer did end: an unknown word for it must not turn a whole answer into a failed one.
            logger.warning("unknown finish reason %r is taken as 'stop'", reason[:40])
        self.reason = known or "stop"

    def _say(self, text: str) -> list[Chunk]:
        while self._blanks and text:
            if text[0] != self._blanks[0]:
                self._blanks = ""
                break
            self._blanks, text = self._blanks[1:], text[1:]
        return [Text(clean(text))] if text else []

    def _think(self, text: str, place: object) -> list[Chunk]:
        if not text:
            return []
        parted = self._thought is not None and self._thought != place
        self._thought = place
        return [Reasoning(clean(f"\n\n{text}" if parted else text))]

"""The answer as it grows over one or more calls: what went into the lane, and what will be in its ending."""

import time
from collections.abc import Sequence
from typing import Any

from contracts import events
from contracts.generation import GenerateRequest
from kit.bus.blobs import Blobs
from kit.clock import now_ms
from kit.growing_text import GrowingText
from kit.runlog.writer import LaneWriter
from services.inference.attempt import Attempt
from services.inference.bill import Bill
from services.inference.continuation import OverlapTrimmer, Repetition
from services.inference.pickup import Past, called
from services.inference.providers.base import Attached, Chunk, Finish, Reasoning, Text, ToolCall

DELTA, REASONING = "generation.delta", "generation.reasoning"


class Answer:
    """Takes the provider's chunks into the lane and remembers what they add up to."""

    def __init__(self, request: GenerateRequest, writer: LaneWriter, past: Past, attempt: Attempt) -> None:
        """`past` is what the lane has of the answer already; `attempt` is the first call to come."""
        self.finish: Finish | None = None
        self.last_chunk: float | None = None
        """Monotonic time of the newest chunk of this call; None before its first."""
        self.grew = False
        """This call has brought something new."""
        self.reference = past.reference
        """Under which the provider keeps the whole answer."""
        self.running = past.reference
        """What the provider goes on with, also when nobody listens: to be stopped when the answer is."""
        self.bill = Bill(past)
        self._request, self._writer = request, writer
        self._text, self._reasoning = GrowingText(past.text), GrowingText(past.reasoning)
        self._tool_calls = list(past.tool_calls)
        self._started_ms = now_ms()
        self._first_token_ms: int | None = None
        self.begin(attempt)

    @property
    def has_words(self) -> bool:
        """Somebody may have seen something of it."""
        return bool(self._text.length or self._reasoning.length or self._tool_calls)

    def past(self) -> Past:
        """What there is of it, for the next call to go on with."""
        return Past(
            text=self._text.whole(),
            reasoning=self._reasoning.whole(),
            tool_calls=tuple(self._tool_calls),
            reference=self.reference,
        )

    def begin(self, attempt: Attempt) -> None:
        """A call begins. It leaves the lane as it is until its first chunk: it may never answer."""
        self._attempt = attempt
        self.finish, self.last_chunk, self.grew = None, None, False
        self._attached: str | None = None
        going_on = attempt.going_on
        self._seam = going_on.mode if self.has_words else None
        self._trimmer = OverlapTrimmer(going_on.text) if going_on.mode == "continue" else None
        self._repetition = Repetition(self.past()) if going_on.mode == "reattach" else None
        self.bill.call(going_on.mode, self._written())

    def take(self, chunks: Sequence[Chunk]) -> None:
        """Everything of one network read. To be given an id is no sign that the model has begun to answer."""
        if not (chunks and all(isinstance(chunk, Attached) for chunk in chunks)):
            self.last_chunk = time.monotonic()
        for chunk in chunks:
            if isinstance(chunk, Attached):
                self.running = self._attached = chunk.reference
                if self._seam != "restart":  # otherwise it belongs behind the seam
                    self._write_attached()
                continue
            if self._seam is not None:
                self._write_seam(self._seam)
            new = chunk if self._repetition is None else self._repetition.new(chunk)
            if new is not None:
                self._take(new)

    def _take(self, chunk: Chunk) -> None:
        kind = type(chunk)
        if kind is Text:
            self._say(chunk.text)  # type: ignore[union-attr]
        elif kind is Reasoning:
            self._new_words()
            self._reasoning.add(chunk.text)  # type: ignore[union-attr]
            self._writer.text(REASONING, chunk.text)  # type: ignore[union-attr]
        elif isinstance(chunk, ToolCall):
            self._say_rest()
            self._new_words()
            call = events.ToolCall(chunk.call_id, chunk.name, chunk.arguments)
            self._tool_calls.append(call)
            self._writer.event(
                events.GenerationToolCall(
                    lane=self._request.lane, at=now_ms(), call_id=call.call_id, name=call.name, arguments=call.arguments
                )
            )
        elif isinstance(chunk, Finish):
            self._say_rest()
            self.finish = chunk

    def _say(self, text: str) -> None:
        if self._trimmer is not None:
            text = self._trimmer.take(text)
            if not text:
                return
        self._new_words()
        self._text.add(text)
        self._writer.text(DELTA, text)

    def _say_rest(self) -> None:
        """What the trimmer has held back, before anything else than text follows."""
        trimmer, self._trimmer = self._trimmer, None
        if trimmer is not None and (rest := trimmer.rest()):
            self._say(rest)

    def _write_attached(self) -> None:
        """Say under which id the provider keeps what it says now."""
        reference, self._attached = self._attached, None
        if reference is None or reference == self.reference:
            return
        # What is kept of an answer that is gone on with is its second half only.
        self.reference = None if self.has_words else reference
        self._writer.event(
            events.GenerationAttached(
                lane=self._request.lane, at=now_ms(), attempt=self._attempt.number, reference=reference
            )
        )

    def _write_seam(self, mode: str) -> None:
        """The first words of this call follow: say how they hang together with those before."""
        self._seam = None
        lane, at, number = self._request.lane, now_ms(), self._attempt.number
        if mode != "restart":
            self._writer.event(events.GenerationResumed(lane=lane, at=at, attempt=number, mode=mode))  # type: ignore[arg-type]
            return
        self._writer.event(events.GenerationRestarted(lane=lane, at=at, attempt=number))
        self.bill.drop(self._written())
        self._text, self._reasoning, self._tool_calls = GrowingText(), GrowingText(), []
        self._write_attached()

    def _written(self) -> str:
        """All that the model wrote."""
        return self._text.whole() + self._reasoning.whole() + called(self._tool_calls)

    @property
    def first_token_ms(self) -> int | None:
        """Milliseconds from the request to the first token."""
        return self._first_token_ms

    def _new_words(self) -> None:
        self.grew = True
        if self._first_token_ms is None:
            self._first_token_ms = max(0, now_ms() - self._request.requested_at)

    async def completed(self, blobs: Blobs) -> events.GenerationCompleted:
        """The ending of an answer that is whole."""
        assert self.finish is not None  # noqa: S101  (the caller has looked)
        return events.GenerationCompleted(
            **await self._common(blobs), provider=self._attempt.card.provider, finish_reason=self.finish.reason
        )

    async def failed(self, blobs: Blobs, error: events.Error) -> events.GenerationFailed:
        """The ending of an answer that broke off."""
        return events.GenerationFailed(**await self._common(blobs), provider=self._attempt.card.provider, error=error)

    async def cancelled(self, blobs: Blobs) -> events.GenerationCancelled:
        """The ending of an answer that somebody stopped."""
        return events.GenerationCancelled(**await self._common(blobs), provider=self._attempt.card.provider)

    async def _common(self, blobs: Blobs) -> dict[str, Any]:
        card, number = self._attempt.card, self._attempt.number
        name = f"{self._request.run_id}.{self._request.lane}.{number}"
        said, thought = self._text.whole(), self._reasoning.whole()
        text, text_ref = await blobs.inline_or_kept(f"{name}.text", said)
        reasoning, reasoning_ref = await blobs.inline_or_kept(f"{name}.reasoning", thought)
        usage = self.bill.usage(self.finish.usage if self.finish else None, said + called(self._tool_calls), thought)
        now = now_ms()
        return {
            "lane": self._request.lane,
            "at": now,
            "attempt": number,
            "model": card.id,
            "text": text,
            "text_ref": text_ref,
            "reasoning": reasoning or None,
            "reasoning_ref": reasoning_ref,
            "tool_calls": tuple(self._tool_calls),
            "usage": usage,
            "cost_usd": self.bill.cost(card.prices, usage),
            "timings": events.Timings(
                queued_ms=max(0, self._started_ms - self._request.requested_at),
                first_token_ms=self._first_token_ms,
                total_ms=max(0, now - self._request.requested_at),
            ),
        }

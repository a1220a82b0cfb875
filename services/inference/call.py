"""One call of a model: from the provider's chunks into the lane."""

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from contracts import events
from contracts.generation import GenerateRequest
from kit.runlog.writer import LaneWriter
from kit.telemetry import measures
from kit.telemetry.spans import CLIENT, span
from services.inference import continuation, question
from services.inference.answer import Answer
from services.inference.attempt import Attempt
from services.inference.parts import Parts
from services.inference.providers.base import Chunk, ProviderCall, ProviderError
from services.inference.providers.kept_answer import NothingToReattachError
from services.inference.tries import Failure

log = logging.getLogger(__name__)

INTERNAL = events.Error("internal", "Something went wrong on our side.")
INCOMPLETE = events.Error("provider_incomplete", "The model server ended the stream before the answer was complete.")

NOT_ANSWERED = frozenset({"provider_unavailable", "provider_incomplete"})
"""Errors that say something about the provider's health, not about this request or our key."""


async def carry(parts: Parts, request: GenerateRequest, attempt: Attempt, writer: LaneWriter, answer: Answer) -> None:
    """Carry one call's chunks into the lane; wait when the log is slower than the provider. Raises ProviderError."""
    card, going_on = attempt.card, attempt.going_on
    asked = await parts.turns(request)
    if (refusal := question.refusal(card, asked, request.parameters)) is not None:
        raise refusal
    answer.bill.asked = question.weight(asked, request.parameters)
    call = ProviderCall(
        model=card.model,
        turns=continuation.turns(asked, going_on),
        parameters=request.parameters,
        max_output_tokens=card.max_output_tokens,
        extra=card.call_options(prefill=going_on.mode == "prefill"),
        reattach=going_on.reference if going_on.mode == "reattach" else None,
    )
    breaker = parts.providers.breaker(card.provider)
    admission = breaker.admit()
    if admission is None:
        raise _open(math.ceil(breaker.opens_in()))
    provider = parts.providers.get(card.provider)
    told = {"gen_ai.provider.name": card.provider, "gen_ai.request.model": card.model}
    with span("provider call", CLIENT, attributes=told):
        try:
            take = _taking(request, writer, answer, admission.succeeded)
            async with contextlib.aclosing(provider.stream(replace(call, take=take))) as stream:
                async for chunks in stream:
                    if not take(chunks):
                        await writer.room()
        except ProviderError as error:
            if error.code in NOT_ANSWERED:
                admission.failed()
            raise
        finally:
            admission.close()


def _taking(
    request: GenerateRequest, writer: LaneWriter, answer: Answer, succeeded: Callable[[], None]
) -> Callable[[Sequence[Chunk]], bool]:
    """Takes chunks into the lane and tells whether it has room for more. Also called inside a socket's read."""
    first = silent = True

    def take(chunks: Sequence[Chunk]) -> bool:
        nonlocal first, silent
        if silent:
            silent = False
            succeeded()
        answer.take(chunks)
        if first and answer.first_token_ms is not None:
            first = False
            measures.first_token("worker", answer.first_token_ms / 1000, request.model)
        return not writer.full

    return take


def _open(seconds: int) -> ProviderError:
    return ProviderError(
        "provider_unavailable",
        f"The model provider has failed again and again and is not asked for {seconds} s.",
        retryable=True,
        retry_after=seconds,
    )


def failure_of(call: "asyncio.Task[Any]") -> Failure:
    """What a call that brought no finish died of, in words for the user."""
    error = None if call.cancelled() else call.exception()
    if error is None:
        return Failure(INCOMPLETE, retryable=True)
    if isinstance(error, ProviderError):
        told = events.Error(error.code, error.message)
        gone = isinstance(error, NothingToReattachError)
        return Failure(told, error.retryable, error.retry_after, nothing_kept=gone)
    log.error("a call failed by our own doing", exc_info=error)
    return Failure(INTERNAL)

"""Orders to inference as they fit into a message: a long question goes by reference, and its images with it."""

from collections.abc import Sequence

from contracts.content import Turn
from contracts.generation import GenerateRequest
from contracts.ids import RUN_LANE
from kit.bus.blobs import MAX_BYTES_PER_CHARACTER, MAX_INLINE_BYTES, Blobs


async def carried(blobs: Blobs, request: GenerateRequest) -> GenerateRequest:
    """An order that is short enough. Doing it twice is no harm."""
    body = _long_question(request)
    if body is None:
        return request
    return _referring(request, await blobs.put(question_reference(request.run_id, request.lane), body))


async def carried_alike(blobs: Blobs, requests: Sequence[GenerateRequest]) -> Sequence[GenerateRequest]:
    """Orders of one run that ask several models the same: a long question is kept once for all of them.

    Raises ValueError if they do not ask the same.
    """
    first = requests[0]
    if any((request.run_id, request.messages) != (first.run_id, first.messages) for request in requests):
        raise ValueError("these orders ask different questions")
    body = _long_question(first)
    if body is None:
        return requests
    reference = await blobs.put(question_reference(first.run_id, RUN_LANE), body)
    return [_referring(request, reference) for request in requests]


def question_reference(run_id: str, lane: str) -> str:
    """Where a question too long for a message is kept: that of one lane, or, for the lane `run`, of all."""
    return f"{run_id}.{lane}.messages"


def _long_question(request: GenerateRequest) -> bytes | None:
    turns = request.messages
    shows = any(turn.images for turn in turns)
    if not shows and sum(map(_characters, turns)) * MAX_BYTES_PER_CHARACTER <= MAX_INLINE_BYTES:
        return None
    body = request.model_dump_json(include={"messages"}, exclude_none=True).encode()
    return body if len(body) > MAX_INLINE_BYTES else None


def _referring(request: GenerateRequest, reference: str) -> GenerateRequest:
    return request.model_copy(update={"messages": (), "messages_ref": reference})


def _characters(turn: Turn) -> int:
    calls = sum(len(call.call_id) + len(call.name) + len(call.arguments) for call in turn.tool_calls)
    return len(turn.content) + calls + sum(len(result.call_id) + len(result.output) for result in turn.results)

"""The ending of a lane that nobody goes on with."""

from contracts import events
from contracts.costs import cost_usd, estimated_usage
from contracts.generation import GenerateRequest
from kit.bus.blobs import Blobs
from kit.clock import now_ms
from services.inference.catalogue import Catalogue
from services.inference.pickup import Past
from services.inference.question import weight


async def given_up(
    request: GenerateRequest, catalogue: Catalogue, blobs: Blobs, error: events.Error, past: Past
) -> events.GenerationFailed:
    """Every word of it, and roughly what it cost."""
    name = f"{request.run_id}.{request.lane}.failed"
    text, text_ref = await blobs.inline_or_kept(f"{name}.text", past.text)
    reasoning, reasoning_ref = await blobs.inline_or_kept(f"{name}.reasoning", past.reasoning)
    card = catalogue.get(past.model or request.model)
    asked = weight(request.messages, request.parameters)
    calls = past.attempts if past.begun or past.dropped else 0
    said = past.dropped + past.text + past.called
    usage = estimated_usage(asked.texts, said, past.reasoning, calls=calls, images=asked.images)
    return events.GenerationFailed(
        lane=request.lane,
        at=now_ms(),
        attempt=past.attempts,
        model=past.model or request.model,
        error=error,
        text=text,
        text_ref=text_ref,
        reasoning=reasoning or None,
        reasoning_ref=reasoning_ref,
        tool_calls=past.tool_calls,
        usage=usage,
        cost_usd=None if card is None else format(cost_usd(card.prices, usage), "f"),
    )

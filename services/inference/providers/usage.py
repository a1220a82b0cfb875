"""How many tokens a server says it has used."""

import logging

import msgspec

from services.inference.providers.base import Usage

logger = logging.getLogger(__name__)

Count = int | float | None


class _PromptDetails(msgspec.Struct):
    cached_tokens: Count = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: Count = None


class _Usage(msgspec.Struct):
    prompt_tokens: Count = None
    completion_tokens: Count = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


_decode = msgspec.json.Decoder(_Usage | None).decode


def read_usage(raw: msgspec.Raw) -> Usage | None:
    """The usage of a chunk; None if there is none. One that cannot be read costs the count, never the answer."""
    try:
        usage = _decode(raw)
    except ValueError:
        logger.warning("the model server's usage cannot be read: %r", bytes(raw)[:200])
        return None
    if usage is None:
        return None
    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    return Usage(
        input_tokens=_count(usage.prompt_tokens),
        output_tokens=_count(usage.completion_tokens),
        reasoning_tokens=_count(completion.reasoning_tokens) if completion else 0,
        cached_input_tokens=_count(prompt.cached_tokens) if prompt else 0,
    )


def _count(tokens: Count) -> int:
    return max(int(tokens or 0), 0)  # a negative count would be a negative cost

"""What tokens cost, and how many there are when the provider had no chance to say: after a stop or a failure."""

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field

from contracts import events

TOKENS_PER_PRICE = 1_000_000
"""Prices are for this many tokens."""
CHARACTERS_PER_TOKEN = 4
"""OpenAI's rule of thumb for English text."""

TOKENS_PER_IMAGE = 1_000
"""Of the order of what providers charge for a picture of ordinary size; each counts by its measures in its own way."""

Price = Annotated[Decimal, Field(ge=0, le=1_000_000)]


class Prices(BaseModel):
    """USD per million tokens. Write zeros for a model that costs nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Price
    output: Price
    cached_input: Price | None = Field(None, description="absent: the same as input")


class Counted(Protocol):
    """Tokens, whoever counted them."""

    @property
    def input_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...
    @property
    def cached_input_tokens(self) -> int: ...


def cost_usd(prices: Prices, usage: Counted) -> Decimal:
    """What a call costs, exactly. As OpenAI counts, cached input is part of the input, reasoning of the output."""
    cached = min(usage.cached_input_tokens, usage.input_tokens)
    cached_price = prices.input if prices.cached_input is None else prices.cached_input
    total = (usage.input_tokens - cached) * prices.input + cached * cached_price + usage.output_tokens * prices.output
    return total / TOKENS_PER_PRICE


def estimated_tokens(texts: Iterable[str]) -> int:
    """Roughly how many tokens some texts are."""
    return math.ceil(sum(map(len, texts)) / CHARACTERS_PER_TOKEN)


def estimated_usage(asked: Iterable[str], text: str, reasoning: str, *, calls: int, images: int = 0) -> events.Usage:
    """Roughly what an answer has used that was asked for `calls` times: each call is charged for the whole question."""
    thought = estimated_tokens((reasoning,))
    return events.Usage(
        input_tokens=calls * (estimated_tokens(asked) + images * TOKENS_PER_IMAGE),
        output_tokens=estimated_tokens((text,)) + thought if calls else 0,
        reasoning_tokens=thought if calls else 0,
        estimated=True,
    )

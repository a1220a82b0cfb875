"""Tokens, as OpenAI's two protocols count them."""

from typing import Any, Protocol


class Tokens(Protocol):
    """What a provider counted: of an event, or as it is stored."""

    @property
    def input_tokens(self) -> int:
        """Of the question."""

    @property
    def output_tokens(self) -> int:
        """Of the answer, thinking included."""

    @property
    def reasoning_tokens(self) -> int:
        """Of the thinking."""

    @property
    def cached_input_tokens(self) -> int:
        """Of the question, cheaper."""


def completion_usage(tokens: Tokens) -> dict[str, Any]:
    """As a chat completion says it."""
    return {
        "prompt_tokens": tokens.input_tokens,
        "completion_tokens": tokens.output_tokens,
        "total_tokens": tokens.input_tokens + tokens.output_tokens,
        "prompt_tokens_details": {"cached_tokens": tokens.cached_input_tokens},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning_tokens},
    }


def response_usage(tokens: Tokens) -> dict[str, Any]:
    """As a response says it."""
    return {
        "input_tokens": tokens.input_tokens,
        "input_tokens_details": {"cached_tokens": tokens.cached_input_tokens, "cache_write_tokens": 0},
        "output_tokens": tokens.output_tokens,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning_tokens},
        "total_tokens": tokens.input_tokens + tokens.output_tokens,
    }

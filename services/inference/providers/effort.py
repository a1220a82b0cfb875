"""How hard a model is to think, in the words of those that want a number of tokens."""

from contracts.generation import Parameters

BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576, "xhigh": 32_768}
"""Tokens; Google's own table for OpenAI's words (ai.google.dev/gemini-api/docs/openai), and one step more."""
MIN_BUDGET = 1024
"""Anthropic's smallest."""


def budget(parameters: Parameters, limit: int | None) -> int | None:
    """Tokens to think with, less than the whole answer may have; None if that leaves too few or none are wanted."""
    wanted = BUDGETS.get(parameters.reasoning_effort or "")
    if wanted is not None and limit is not None:
        wanted = min(wanted, limit // 2)
    return wanted if wanted is not None and wanted >= MIN_BUDGET else None

"""What of a context fits into a model's window: values in, values out."""

from collections.abc import Sequence

from contracts.content import Turn
from kit.orchestrate.window import tokens_of
from kit.refusal import Refused


def fit(turns: Sequence[Turn], budget: int | None) -> tuple[tuple[Turn, ...], int]:
    """The turns that fit, and how many are left out: the oldest exchanges, whole.

    The system prompt and the last exchange stay: results of tools are of no use without their question. Refused if
    these alone are too long.
    """
    if budget is None:
        return tuple(turns), 0
    begins = [turn for turn in turns if turn.role == "system"]
    exchanges = _exchanges([turn for turn in turns if turn.role != "system"])
    left = budget - tokens_of(begins)
    kept: list[Turn] = []
    for number, exchange in enumerate(reversed(exchanges)):
        left -= tokens_of(exchange)
        if left < 0:
            if number == 0:
                raise Refused(
                    "context_too_long",
                    f"The message and the system prompt are longer than the {budget} tokens that this model takes.",
                )
            break
        kept = [*exchange, *kept]
    return (*begins, *kept), len(turns) - len(begins) - len(kept)


def _exchanges(turns: Sequence[Turn]) -> list[list[Turn]]:
    """A user's message and all that follows until the next one."""
    found: list[list[Turn]] = []
    for turn in turns:
        if turn.role == "user" or not found:
            found.append([])
        found[-1].append(turn)
    return found

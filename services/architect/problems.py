"""Everything that is wrong, in one refusal: sentences in, Refused out."""

from collections.abc import Iterable

from kit.refusal import Refused

MAX_PROBLEMS = 10
"""That are told at once."""


def refuse(code: str, problems: Iterable[str]) -> None:
    """Refused if there is any problem."""
    told = list(problems)
    more = len(told) - MAX_PROBLEMS
    if told:
        raise Refused(code, " ".join(told[:MAX_PROBLEMS]) + (f" And {more} more." if more > 0 else ""))

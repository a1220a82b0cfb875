"""Everything that is wrong, in one refusal: sentences in, Refused out."""

from collections.abc import Iterable
from itertools import islice

from kit.refusal import Refused

MAX_PROBLEMS = 10
"""That are told at once."""


QUOTED_CHARACTERS = 60
"""Of something that was written, in the sentence that says what is wrong with it."""


def refuse(code: str, problems: Iterable[str]) -> None:
    """Refused if there is any problem. No more are looked for than are told: somebody may have made a million."""
    told = list(islice(problems, MAX_PROBLEMS + 1))
    if told:
        raise Refused(code, " ".join(told[:MAX_PROBLEMS]) + (" And there is more." if len(told) > MAX_PROBLEMS else ""))


def quoted(value: str) -> str:
    """The beginning of something that was written."""
    return repr(value if len(value) <= QUOTED_CHARACTERS else value[: QUOTED_CHARACTERS - 1] + "…")

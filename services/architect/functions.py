"""The functions that a condition may call: values in, values out. They raise ValueError with a sentence for people."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

NUMBER_CHARACTERS = 40
"""More are no number that somebody wants to compare."""


class Function(NamedTuple):
    """One of them."""

    arguments: int
    call: Callable[..., Any]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a function for texts was given something else")
    return value


def _length(value: Any) -> int:
    if not isinstance(value, (str, list)):
        raise ValueError("only a text or a list has a length")
    return len(value)


def _number(value: Any) -> float:
    if isinstance(value, str) and len(value.strip()) > NUMBER_CHARACTERS:
        raise ValueError("`number` was given a text that is no number")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError("`number` was given something that is no number") from error
    if not math.isfinite(number):
        raise ValueError("`number` was given something that is no number")
    return number


def contains(whole: Any, part: Any) -> bool:
    """Whether a text has another in it, or a list a value."""
    if isinstance(whole, list):
        return part in whole
    return _text(part) in _text(whole)


FUNCTIONS = {
    "length": Function(1, _length),
    "number": Function(1, _number),
    "lower": Function(1, lambda text: _text(text).lower()),
    "upper": Function(1, lambda text: _text(text).upper()),
    "trim": Function(1, lambda text: _text(text).strip()),
    "contains": Function(2, contains),
    "starts_with": Function(2, lambda text, part: _text(text).startswith(_text(part))),
    "ends_with": Function(2, lambda text, part: _text(text).endswith(_text(part))),
}

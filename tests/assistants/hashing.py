"""What the hashing model says: words made of a hash of the exact messages and of its own name. Values in, values out.

One wrong variable, message or model gives another text altogether. What else it does stands in the last message, as in
`[[words=30 rate=50 mark=r1 step=draft]]`.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

Message = tuple[str, str]
"""A role and a text."""
Manner = Literal["whole", "refused", "broken", "cut", "hangs"]

PREFILL, CONTINUE, RESTART = "hash-prefill", "hash-continue", "hash-restart"
MODELS = (PREFILL, CONTINUE, RESTART)
ALWAYS = 1_000_000

_ORDER = re.compile(r"\[\[([^\]]*)\]\]")
_SPLIT_EVERY = 3
"""Every third word comes in two pieces, so that an answer is often cut in the middle of a word."""


class Order(NamedTuple):
    """How it is to answer. `refuse`, `broken`, `cut` and `hang`: in the first `times` calls for these messages."""

    words: int = 12
    rate: float = 400.0
    """Words per second."""
    first: float = 0.0
    """Seconds before the first word."""
    refuse: int = 0
    """Answer with this HTTP status."""
    after: int = 0
    """With a refusal: `Retry-After`, in seconds. A worker that finds it too long does not ask again."""
    broken: int = -1
    """After so many words there is an error that another try would meet again."""
    cut: int = -1
    """After so many words the connection is lost. Workers go on then, three times for one answer."""
    hang: int = -1
    """After so many words nothing more is said."""
    times: int = ALWAYS
    on: str = ""
    """Only of the model with this name; the others answer."""
    mark: str = ""
    """Whose call it is: for those who count calls."""
    step: str = ""


class Said(NamedTuple):
    """An answer, or its beginning, and how it ends."""

    text: str
    manner: Manner = "whole"
    status: int = 200


class Asked(NamedTuple):
    """A call as the model understands it: it goes on after `beginning`."""

    messages: tuple[Message, ...]
    mode: Literal["begin", "prefill", "continue"] = "begin"
    beginning: str = ""


def order_of(messages: Sequence[Message]) -> Order:
    """What the last message orders; without an order it just answers. Raises ValueError."""
    found = _ORDER.search(messages[-1][1])
    told: dict[str, Any] = {}
    for word in found[1].split() if found else ():
        name, _, value = word.partition("=")
        if name not in Order._fields:
            raise ValueError(f"there is no {name!r} in an order")
        told[name] = type(Order._field_defaults[name])(value)
    return Order(**told)


def digest(messages: Sequence[Message], model: str) -> str:
    """Names a question to a model."""
    asked = json.dumps([model, [list(message) for message in messages]], ensure_ascii=False)
    return hashlib.sha256(asked.encode()).hexdigest()


def answer(messages: Sequence[Message], model: str, words: int) -> str:
    """The whole answer."""
    seed = digest(messages, model)
    return " ".join(hashlib.sha256(f"{seed}/{number}".encode()).hexdigest()[:7] for number in range(words))


def say(messages: Sequence[Message], model: str, call: int) -> Said:
    """What is answered to the `call`th call for these messages, the first being 0."""
    order = order_of(messages)
    whole = answer(messages, model, order.words)
    if call >= order.times or order.on not in ("", model):
        return Said(whole)
    if order.refuse:
        return Said("", "refused", order.refuse)
    manners: tuple[tuple[int, Manner], ...] = ((order.broken, "broken"), (order.cut, "cut"), (order.hang, "hangs"))
    for place, manner in manners:
        if place >= 0:
            return Said(beginning(whole, place), manner)
    return Said(whole)


def beginning(text: str, words: int) -> str:
    """The first words of a text."""
    return " ".join(text.split(" ")[:words])


def understand(messages: Sequence[Message], go_on: str) -> Asked:
    """What a call asks for; `go_on` is what a worker says that wants an answer gone on with."""
    *before, (role, text) = messages
    if role == "assistant":
        return Asked(tuple(before), "prefill", text)
    if text == go_on and before and before[-1][0] == "assistant":
        return Asked(tuple(before[:-1]), "continue", before[-1][1])
    return Asked(tuple(messages))


def pieces(text: str, start: int, rate: float) -> Iterator[tuple[float, str]]:
    """The text from character `start` on, as pieces, each with the seconds to wait before it."""
    place = 0
    for number, word in enumerate(text.split(" ")) if text else ():
        word = word if number == 0 else " " + word
        middle = len(word) - 3 if number % _SPLIT_EVERY == _SPLIT_EVERY - 1 else 0
        parts = [word[:middle], word[middle:]] if middle else [word]
        for part in parts:
            place += len(part)
            if place > start:
                yield 1 / rate / len(parts), part[start - place :] if place - len(part) < start else part

"""Parameters that models have refused: they are left out from then on, so that a question does not fail by a detail."""

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from services.inference.providers.error_fields import MAX_ERROR_BODY_BYTES, fields_of_body

logger = logging.getLogger(__name__)

OPTIONAL = (
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "reasoning_effort",
    "response_format",
    "parallel_tool_calls",
)
"""What an answer can do without, by its name in chat completions. Not the tools: without them it is another answer."""

BY_VALUE: dict[str, Callable[[Any], str]] = {
    "reasoning_effort": str,
    "response_format": lambda value: str(value.get("type")) if isinstance(value, dict) else "",
    "reasoning": lambda value: str(value.get("effort")) if isinstance(value, dict) else "",
    "thinking": lambda value: str(value.get("type")) if isinstance(value, dict) else "",
    "output_config": lambda value: str(value.get("effort")) if isinstance(value, dict) else "",
    "thinking_config": lambda value: str(value.get("thinking_level")) if isinstance(value, dict) else "",
}
"""Of these only the value is remembered: a model that has no effort `minimal` may have `low`."""

_REFUSED = re.compile(
    r"unsupported|not support|unrecognized request argument|unknown (?:parameter|field|argument|name)"
    r"|extra inputs|not permitted|only the default|deprecated|cannot be disabled|(?:may|can) only be|non-default"
)
_WORDS = frozenset({"stop", "seed", "text", "reasoning"})
"""Names that are words as well: in a sentence they have to stand in quotation marks."""
_OF_A_SCHEMA = frozenset({"response_format", "text"})
"""What is wrong with one request's schema says nothing of the model."""
_STATUS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})


class Unwanted:
    """What each model of one provider has refused."""

    def __init__(self) -> None:
        self._of: defaultdict[str, set[str]] = defaultdict(set)

    def drop(self, model: str, fields: dict[str, Any]) -> None:
        """Take out of a call what this model refused before."""
        if refused := self._of.get(model):
            for name in [name for name, value in fields.items() if _key(name, value) in refused]:
                del fields[name]

    def learn(self, model: str, sent: Mapping[str, Any], names: Iterable[str]) -> bool:
        """Remember what was refused of what was sent; whether the same call may succeed without it."""
        refused = {name for name in names if name in sent}
        self._of[model] |= {_key(name, sent[name]) for name in refused}
        if refused:
            logger.info("model %s does not know %s: left out from now on", model, ", ".join(sorted(refused)))
        return bool(refused)


def refused_names(status: int, body: bytes, names: Iterable[str] = OPTIONAL) -> set[str]:
    """The parameters that an error says are not known, by a field that names them or else by its text."""
    if status not in _STATUS:
        return set()
    fields = fields_of_body(body)
    text = f"{fields.code} {fields.message or body[:MAX_ERROR_BODY_BYTES].decode(errors='replace')}".lower()
    if not _REFUSED.search(text):
        return set()
    told = fields.param.lower()
    return {name for name in names if _is_named(name, told, text)}


def _is_named(name: str, told: str, text: str) -> bool:
    if name in _OF_A_SCHEMA and "schema" in text:
        return False
    name = name.lower()
    if told:
        return told == name or told.startswith(f"{name}.")
    pattern = rf"[\"'`]{name}[\"'`]" if name in _WORDS else rf"(?<![a-z_]){name}(?![a-z_])"
    return re.search(pattern, text) is not None


def _key(name: str, value: Any) -> str:
    return f"{name}={BY_VALUE[name](value)}" if name in BY_VALUE else name

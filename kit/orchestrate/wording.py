"""Texts as the tables of every orchestrator can hold them, and what is refused: values in, values or Refused out."""

import re

from contracts.generation import Parameters
from kit.refusal import Refused

MAX_TITLE_CHARACTERS = 200
TITLE_CHARACTERS = 60
"""Of a title that is made from what was asked."""
NUL_IN_JSON = "\\u0000"
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def storable(text: str) -> str:
    """Postgres texts cannot hold NUL; nor can half a surrogate pair be written as UTF-8."""
    if "\x00" in text:
        raise Refused("invalid_text", "The text contains a NUL character.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Refused("invalid_text", "The text is not valid Unicode.") from error
    return text


def without_nul(text: str) -> str:
    """What a model said, as it can be stored."""
    return text.replace("\x00", "")


def check_stored(text: str) -> None:
    """Refused if some JSON has a NUL character in one of its texts."""
    if NUL_IN_JSON in text and _NUL.search(text):
        raise Refused("invalid_text", "The text contains a NUL character.")


def check_title(title: str) -> str:
    """A title, or Refused if it is too long."""
    if len(title) > MAX_TITLE_CHARACTERS:
        raise Refused("title_too_long", f"The title has {len(title)} characters; the limit is {MAX_TITLE_CHARACTERS}.")
    return storable(title.strip())


def title_from(content: str) -> str:
    """A title: the beginning of what was asked, cut at a word."""
    line = " ".join(content.split())
    if len(line) <= TITLE_CHARACTERS:
        return line
    return line[: TITLE_CHARACTERS - 1].rsplit(" ", 1)[0] + "…"


def check_parameters(parameters: Parameters, limit: int) -> None:
    """Refused if there is too much of them (tools, a schema), or something that cannot be stored."""
    if not parameters.model_fields_set:
        return
    text = parameters.model_dump_json(exclude_none=True)
    if len(text) > limit:
        raise Refused("parameters_too_long", f"The parameters have {len(text)} characters; the limit is {limit}.")
    check_stored(text)

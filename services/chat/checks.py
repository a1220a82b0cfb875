"""What chat refuses: values in, values or Refused out."""

from collections.abc import Sequence

from kit.orchestrate.wording import storable
from kit.refusal import Refused

MAX_SYSTEM_CHARACTERS = 100_000
MAX_MARK_DIGITS = 10
MAX_FALLBACKS = 5
MAX_SEARCH_WORDS = 10
QUOTED_CHARACTERS = 100
"""Of something unknown that was asked for, in the answer that says so."""


def check_content(content: str, limit: int) -> str:
    """The text of a message, or Refused if there is nothing in it or too much."""
    if not content.strip():
        raise Refused("empty_message", "The message is empty.")
    if len(content) > limit:
        raise Refused("message_too_long", f"The message has {len(content)} characters; the limit is {limit}.")
    return storable(content)


def check_system(system: str | None) -> str | None:
    """A system prompt, or Refused if it is too long."""
    if system is not None and len(system) > MAX_SYSTEM_CHARACTERS:
        raise Refused("system_too_long", f"The system prompt is longer than {MAX_SYSTEM_CHARACTERS} characters.")
    return None if system is None else storable(system)


def search_words(text: str | None) -> list[str]:
    """The words to look for, or Refused if there are too many."""
    words = storable(text or "").split()
    if len(words) > MAX_SEARCH_WORDS:
        raise Refused("too_many_words", f"There are {len(words)} words to look for; the limit is {MAX_SEARCH_WORDS}.")
    return words


def position_after(mark: str | None) -> int:
    """The position that a page of messages follows, or Refused if the mark is none of ours."""
    if mark is None:
        return 0
    if not (mark.isascii() and mark.isdecimal() and len(mark) < MAX_MARK_DIGITS):
        raise Refused("invalid_cursor", "This is not the `next` of an earlier page.")
    return int(mark)


def check_fallbacks(wanted: Sequence[str], offered: Sequence[str]) -> None:
    """Refused if there are too many fallbacks, or one is not offered."""
    if len(wanted) > MAX_FALLBACKS:
        raise Refused("too_many_fallbacks", f"There are {len(wanted)} fallbacks; the limit is {MAX_FALLBACKS}.")
    for model in wanted:
        _check_offered(model, offered)


def choose_model(wanted: str | None, default: str, offered: Sequence[str]) -> str:
    """The model to ask, or Refused if it is not offered."""
    model = wanted or default or (offered[0] if offered else "")
    if not model:
        raise Refused("no_model", "No model is available. Look at the catalogue and the providers' keys.")
    _check_offered(model, offered)
    return model


def _check_offered(model: str, offered: Sequence[str]) -> None:
    if model not in offered:
        raise Refused(
            "unknown_model", f"There is no model {model[:QUOTED_CHARACTERS]!r}. GET /v1/models lists those there are."
        )

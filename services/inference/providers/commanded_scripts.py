"""The demo models that are told what to do: demo-flaky fails, demo-marathon counts."""

import re
from collections.abc import Iterator

from services.inference.providers.base import ProviderError
from services.inference.providers.errors import error_from_response
from services.inference.providers.scripts import Conversation, Fail, Pause, Say, Step, quote, say

DEFAULT_MARATHON_SECONDS = 60.0
MARATHON_TOKENS_PER_SECOND = 20.0
MAX_TOKENS_PER_SECOND = 1000.0
MAX_COUNT = 10_000_000
MAX_PAUSE_SECONDS = 24 * 3600.0

_NUMBER = r"(\d+(?:\.\d+)?)"
_UNITS = {"s": 1, "m": 60, "h": 3600}
_UNIT = r"(s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b"
_FAIL = re.compile(r"\bfail\b", re.IGNORECASE)
_STATUS = re.compile(r"\bfail\b.{0,30}?\bwith (?:http |status )?([45]\d\d)\b", re.IGNORECASE)
_FAIL_AFTER = re.compile(r"\b(?:fail|end|stop)\b.{0,40}?\b(after|every) (\d{1,7}) tokens?\b", re.IGNORECASE)
_CUT = re.compile(r"\b(?:end|stop) without (?:a )?(?:finish|ending|reason)\b|\bend early\b", re.IGNORECASE)
_RETRY = re.compile(rf"\bretry after {_NUMBER} ?{_UNIT}", re.IGNORECASE)
_DURATION = re.compile(rf"\bfor {_NUMBER} ?{_UNIT}", re.IGNORECASE)
_COUNT = re.compile(r"(?<!after )\b(\d{1,8}) (?:tokens?|numbers?)\b(?! per)", re.IGNORECASE)
_RATE = re.compile(rf"{_NUMBER} ?(?:tokens? per second|tokens?/s|tok/s)", re.IGNORECASE)
_SILENT = re.compile(rf"\bsilent for {_NUMBER} ?{_UNIT}(?:\s+after (\d{{1,8}}) (?:tokens?|numbers?))?", re.IGNORECASE)


def flaky(talk: Conversation) -> Iterator[Step]:
    """Fails if the last message says so: now, after or every n tokens, with an HTTP status, without an ending."""
    after = _FAIL_AFTER.search(talk.last)
    cut = _CUT.search(talk.last) is not None
    if not cut and not _FAIL.search(talk.last):
        return say(
            f"I work, because you did not ask me to fail. You said {quote(talk.last)}. {talk.memory()} "
            "I am demo-flaky, a demo model. Try: fail · fail after 10 tokens · fail every 10 tokens · "
            "fail with 429, retry after 5 s · fail with 503 after 5 tokens · end early after 8 tokens."
        )
    failure = Fail(_cut_error() if cut else _asked_error(talk.last))
    if after is None and not cut:
        return iter((failure,))
    position = int(after.group(2)) if after else 5
    text = (
        f"I was asked to break in the middle of this answer, and I will: you said {quote(talk.last)}. {talk.memory()} "
        "If you can read this, I broke, another attempt took over, and it went on exactly where I stopped. "
        "I am demo-flaky, a demo model, and this is the end of my answer."
    )
    every = after is not None and after.group(1).lower() == "every"
    return _interrupted(say(text), failure, position, every=every)


def marathon(talk: Conversation) -> Iterator[Step]:
    """Counts `1 2 3 …`, so that a lost, doubled or reordered token is visible. Paragraph 2 is nothing but numbers."""
    count = marathon_count(talk.last)
    silent = _SILENT.search(talk.last)
    pause_at = int(silent.group(3) or 1) if silent else 0
    pause = Pause(_seconds(silent.group(1), silent.group(2))) if silent else None
    yield from say(f"You said {quote(talk.last)}. {talk.memory()} I am demo-marathon, a demo model, and I count.\n\n")
    for number in range(1, count + 1):
        yield Say(f"{number} " if number < count else f"{number}\n\n")
        if pause and number == pause_at:
            yield pause
    yield from say('That was all. Tell me for how long, as in: "for 2 hours", "500 tokens at 50 tok/s".')


def marathon_rate(text: str) -> float:
    """Tokens per second that the message asks for."""
    asked = _RATE.search(text)
    return min(max(float(asked.group(1)), 1.0), MAX_TOKENS_PER_SECOND) if asked else MARATHON_TOKENS_PER_SECOND


def marathon_count(text: str) -> int:
    """How far the message asks to count. A duration is turned into tokens: a successor then knows how many are left."""
    if asked := _COUNT.search(_RATE.sub("", _SILENT.sub("", text))):
        return min(max(int(asked.group(1)), 1), MAX_COUNT)
    duration = _DURATION.search(_SILENT.sub("", text))
    seconds = _seconds(duration.group(1), duration.group(2)) if duration else DEFAULT_MARATHON_SECONDS
    return min(max(round(seconds * marathon_rate(text)), 1), MAX_COUNT)


def _seconds(number: str, unit: str) -> float:
    return min(float(number) * _UNITS[unit[0].lower()], MAX_PAUSE_SECONDS)


def _interrupted(steps: Iterator[Step], failure: Fail, position: int, *, every: bool) -> Iterator[Step]:
    if position == 0:
        yield failure
    for number, step in enumerate(steps, start=1):
        yield step
        if number == position or (every and position > 0 and number % position == 0):
            yield failure


def _asked_error(text: str) -> ProviderError:
    asked, retry = _STATUS.search(text), _RETRY.search(text)
    headers = {"Retry-After": str(_seconds(retry.group(1), retry.group(2)))} if retry else {}
    return error_from_response(int(asked.group(1)) if asked else 503, headers, b"demo-flaky failed as it was asked to")


def _cut_error() -> ProviderError:
    return ProviderError(
        "provider_incomplete", "demo-flaky ended its stream early, as it was asked to.", retryable=True
    )

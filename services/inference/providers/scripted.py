"""Demo models: no key, no network, no knowledge, but real timing, history, reasoning, failures and continuation."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass

from services.inference.providers.base import Chunk, Finish, ProviderCall, ProviderError, Reasoning, Text, Usage
from services.inference.providers.commanded_scripts import (
    MARATHON_TOKENS_PER_SECOND,
    flaky,
    marathon,
    marathon_rate,
)
from services.inference.providers.scripts import (
    Conversation,
    Fail,
    Pause,
    Say,
    Step,
    Think,
    conversation,
    sage,
    swift,
    text_of,
    thinker,
    tokens,
)


@dataclass(frozen=True, slots=True)
class DemoModel:
    """Manner and speed of one model."""

    script: Callable[[Conversation], Iterator[Step]]
    tokens_per_second: float
    first_token_seconds: float


MODELS = {
    "demo-swift": DemoModel(swift, 80.0, 0.15),
    "demo-sage": DemoModel(sage, 25.0, 0.6),
    "demo-thinker": DemoModel(thinker, 40.0, 0.4),
    "demo-flaky": DemoModel(flaky, 40.0, 0.2),
    "demo-marathon": DemoModel(marathon, MARATHON_TOKENS_PER_SECOND, 0.1),
}


class ScriptedProvider:
    """The demo models. `speed` makes everything so many times faster; 0 leaves out all waiting (for tests)."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed

    async def stream(self, call: ProviderCall) -> AsyncGenerator[Sequence[Chunk], None]:
        """One answer, a word at a time; see `Provider.stream`. A trailing assistant message is continued."""
        model = MODELS.get(call.model)
        if model is None:
            raise ProviderError(
                "provider_rejected",
                f"There is no demo model {call.model!r}. There are: {', '.join(MODELS)}.",
                retryable=False,
            )
        messages, prefill = list(call.messages), ""
        if messages and messages[-1].get("role") == "assistant":
            prefill = text_of(messages.pop().get("content"))
        talk = conversation(messages)
        rate = marathon_rate(talk.last) if model.script is marathon else model.tokens_per_second
        clock = asyncio.get_running_loop().time
        due = clock() + self._scaled(model.first_token_seconds)  # of the next token: counted on, never from "now"
        step_seconds = self._scaled(1.0 / rate)
        said = thought = 0
        reason = "stop"
        for step in remaining(model.script, talk, prefill):
            if isinstance(step, Pause):
                due += self._scaled(step.seconds)
                continue
            if call.max_tokens is not None and said + thought >= call.max_tokens:
                reason = "length"
                break
            # A late token goes out at once. sleep(0) as well lets the other generations run.
            await asyncio.sleep(max(0.0, due - clock()))
            due += step_seconds
            if isinstance(step, Fail):
                raise step.error
            if isinstance(step, Think):
                thought += 1
                yield (Reasoning(step.text),)
            else:
                said += 1
                yield (Text(step.text),)
        usage = Usage(
            input_tokens=sum(len(tokens(text_of(message.get("content")))) for message in call.messages),
            output_tokens=said + thought,
            reasoning_tokens=thought,
        )
        yield (Finish("length" if reason == "length" else "stop", usage),)

    async def close(self) -> None:
        """Nothing is open."""

    def _scaled(self, seconds: float) -> float:
        return seconds / self._speed if self._speed else 0.0


def remaining(script: Callable[[Conversation], Iterator[Step]], talk: Conversation, prefill: str) -> Iterator[Step]:
    """What is still to be done when the text of `prefill` has been said.

    The script says the same text again, so the answer goes on exactly there, even inside a word. A text that is not
    from this script (another model began it) is continued from the same number of words.
    """
    if not prefill:
        yield from script(talk)
        return
    steps = script(talk)
    position = 0
    failed_here = True
    for step in steps:
        if not isinstance(step, Say):  # it has thought, waited and failed before
            continue
        if not prefill.startswith(step.text, position):
            rest = prefill[position:]
            if step.text.startswith(rest):
                remainder = step.text[len(rest) :]
                yield Say(remainder)
                failed_here = not remainder.strip()  # only a trimmed blank is missing: the token was complete
                break
            yield from _after_words(script(talk), len(tokens(prefill)))
            return
        position += len(step.text)
        if position == len(prefill):
            break
    for step in steps:
        if failed_here and isinstance(step, Fail):  # the failure that made this continuation necessary
            continue
        failed_here = False
        yield step


def _after_words(steps: Iterator[Step], words: int) -> Iterator[Step]:
    for step in steps:
        if words <= 0:
            yield step
        elif isinstance(step, Say):
            words -= 1

"""Demo models: no key, no network, no knowledge, but real timing, history, reasoning, failures and continuation."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass

from services.inference.providers.base import (
    Chunk,
    Finish,
    FinishReason,
    ProviderCall,
    ProviderError,
    Reasoning,
    Text,
    ToolCall,
    Usage,
)
from services.inference.providers.commanded_scripts import (
    MARATHON_TOKENS_PER_SECOND,
    flaky,
    marathon,
    marathon_rate,
)
from services.inference.providers.scripts import (
    Call,
    Conversation,
    Fail,
    Pause,
    Say,
    Step,
    Think,
    conversation,
    sage,
    swift,
    thinker,
    tokens,
)
from services.inference.providers.stop_texts import StopTexts
from services.inference.providers.tool_scripts import with_tools
from services.inference.question import weight


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
        turns, prefill, asked = list(call.turns), "", call.parameters
        if turns and turns[-1].role == "assistant":
            prefill = turns.pop().content
        talk = conversation(turns, asked.tools)
        stops = StopTexts(asked.stop)
        rate = marathon_rate(talk.last) if model.script is marathon else model.tokens_per_second
        clock = asyncio.get_running_loop().time
        due = clock() + self._scaled(model.first_token_seconds)  # of the next token: counted on, never from "now"
        step_seconds = self._scaled(1.0 / rate)
        said = thought = 0
        calls: list[ToolCall] = []
        reason: FinishReason = "stop"
        for step in remaining(with_tools(model.script, asked.tool_choice), talk, prefill):
            if isinstance(step, Call):
                calls.append(ToolCall(f"call_{talk.seed:08x}_{len(calls)}", step.name, step.arguments))
                continue
            if isinstance(step, Pause):
                due += self._scaled(step.seconds)
                continue
            if asked.max_tokens is not None and said + thought >= asked.max_tokens:
                reason = "length"
                calls.clear()
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
                if text := stops.take(step.text):
                    yield (Text(text),)
                if stops.reached:
                    calls.clear()
                    break
        if rest := stops.rest():
            yield (Text(rest),)
        usage = Usage(
            input_tokens=sum(len(tokens(text)) for text in weight(call.turns, asked).texts),
            output_tokens=said + thought + sum(len(tokens(called.arguments)) for called in calls),
            reasoning_tokens=thought,
        )
        yield (*calls, Finish("tool_calls" if calls else reason, usage))

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

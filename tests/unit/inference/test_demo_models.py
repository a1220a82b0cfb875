from contextlib import aclosing
from typing import Any

import pytest

from contracts.content import Image, Tool, ToolChoice, ToolResult, Turn
from contracts.generation import Parameters
from services.inference.providers.base import Chunk, Finish, ProviderCall, ProviderError, Reasoning, Text, ToolCall
from services.inference.providers.commanded_scripts import marathon_count, marathon_rate
from services.inference.providers.scripted import MODELS, ScriptedProvider

PROMPTS = {"demo-flaky": "fail after 3 tokens", "demo-marathon": "30 tokens, stay silent for 9 s after 10 tokens"}


def user(*texts: str) -> list[Turn]:
    turns: list[Turn] = []
    for text in texts:
        turns += [Turn(role="user", content=text), assistant("…")]
    return turns[:-1]


def assistant(text: str) -> Turn:
    return Turn(role="assistant", content=text)


async def ask(model: str, turns: list[Turn], **fields: Any) -> tuple[list[Chunk], ProviderError | None]:
    chunks: list[Chunk] = []
    call = ProviderCall(model, turns, Parameters(**fields))
    try:
        async with aclosing(ScriptedProvider(speed=0).stream(call)) as stream:
            async for some in stream:
                chunks += some
    except ProviderError as error:
        return chunks, error
    return chunks, None


def text(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, Text))


@pytest.mark.parametrize("model", MODELS)
async def test_the_same_question_gets_the_same_answer_and_another_gets_another(model: str) -> None:
    assert await ask(model, user("why?")) == await ask(model, user("why?"))
    assert text((await ask(model, user("why?")))[0]) != text((await ask(model, user("who?")))[0])


@pytest.mark.parametrize("model", MODELS)
async def test_answers_show_question_history_and_that_they_are_a_demo(model: str) -> None:
    chunks, _ = await ask(
        model, [Turn(role="system", content="Be kind."), *user("my name is Ada", "and then?", "now?")]
    )
    answer = text(chunks)
    for part in ("“now?”", "2 earlier messages", "“my name is Ada”", "“Be kind.”", model, "demo model"):
        assert part in answer
    assert isinstance(chunks[-1], Finish)


@pytest.mark.parametrize("model", MODELS)
async def test_an_interrupted_answer_is_continued_exactly_from_any_place(model: str) -> None:
    question = user(PROMPTS.get(model, "what is it?"))
    whole = text((await ask(model, question))[0])
    if model == "demo-flaky":  # its first attempt is the part before the failure
        whole += text((await ask(model, [*question, assistant(whole)]))[0])
    for place in range(1, len(whole)):
        said = whole[:place]
        rest, error = await ask(model, [*question, assistant(said)])
        if error is not None:  # demo-flaky has not yet come to the place where it fails
            assert model == "demo-flaky"
            assert len((said + text(rest)).split()) == 3
            continue
        assert said + text(rest) == whole, place
        assert not any(isinstance(chunk, Reasoning) for chunk in rest)


async def test_anothers_text_is_continued_to_an_end() -> None:
    chunks, error = await ask("demo-swift", [*user("hi"), assistant("Something else entirely")])
    assert error is None
    assert text(chunks)
    assert isinstance(chunks[-1], Finish)


async def test_a_finished_answer_has_nothing_left_to_say() -> None:
    whole = text((await ask("demo-swift", user("hi")))[0])
    chunks, _ = await ask("demo-swift", [*user("hi"), assistant(whole)])
    assert [type(chunk) for chunk in chunks] == [Finish]


async def test_the_thinker_thinks_first() -> None:
    chunks, _ = await ask("demo-thinker", user("hm?"))
    kinds = [type(chunk) for chunk in chunks]
    assert kinds[0] is Reasoning
    assert kinds == sorted(kinds, key=[Reasoning, Text, Finish].index)
    finish = chunks[-1]
    assert isinstance(finish, Finish)
    assert finish.usage is not None
    assert finish.usage.reasoning_tokens == kinds.count(Reasoning)
    assert finish.usage.output_tokens == len(kinds) - 1


async def test_a_token_limit_ends_with_length() -> None:
    chunks, _ = await ask("demo-sage", user("go"), max_tokens=5)
    assert len(chunks) == 6
    assert isinstance(chunks[-1], Finish)
    assert chunks[-1].reason == "length"


@pytest.mark.parametrize(
    ("prompt", "code", "words", "retry_after"),
    [
        ("please fail", "provider_unavailable", 0, None),
        ("fail after 4 tokens", "provider_unavailable", 4, None),
        ("fail after 0 tokens", "provider_unavailable", 0, None),
        ("fail with 429, retry after 2 s", "provider_rate_limited", 0, 2),
        ("fail with 401 after 2 tokens", "provider_auth", 2, None),
        ("end early after 6 tokens", "provider_incomplete", 6, None),
        ("FAIL WITH 500", "provider_unavailable", 0, None),
    ],
)
async def test_the_flaky_model_fails_as_told(prompt: str, code: str, words: int, retry_after: float | None) -> None:
    chunks, error = await ask("demo-flaky", user(prompt))
    assert error is not None
    assert (error.code, error.retry_after, len(text(chunks).split())) == (code, retry_after, words)


async def test_the_flaky_model_that_fails_every_few_tokens_gets_to_its_end_in_steps() -> None:
    said, attempts = "", 0
    while attempts < 100:
        attempts += 1
        prefill = [assistant(said)] if said else []
        chunks, error = await ask("demo-flaky", [*user("fail every 10 tokens"), *prefill])
        said += text(chunks)
        if error is None:
            break
    assert attempts > 3
    assert said.endswith("the end of my answer.")


@pytest.mark.parametrize(
    ("prompt", "count"),
    [
        ("run for 90 seconds", 1800),
        ("for 2 hours please", 144_000),
        ("for 1.5 min", 1800),
        ("500 tokens", 500),
        ("1 token", 1),
        ("go on for 10 seconds at 100 tokens per second", 1000),
        ("200 tokens at 50 tok/s", 200),
        ("200 tokens, stay silent for 30 s after 5 tokens", 200),
        ("stay silent for 30 s after 5 tokens", 1200),
        ("hello", 1200),
        ("99999999 tokens", 10_000_000),
    ],
)
def test_how_far_the_marathon_runs(prompt: str, count: int) -> None:
    assert marathon_count(prompt) == count


def test_the_marathon_can_be_told_its_speed_within_limits() -> None:
    assert [marathon_rate(p) for p in ("x", "at 50 tok/s", "at 0 tok/s", "at 999999 tokens/s")] == [20, 50, 1, 1000]


async def test_the_marathon_counts_without_a_gap() -> None:
    chunks, _ = await ask("demo-marathon", user("300 tokens"))
    assert text(chunks).split("\n\n")[1].split() == [str(n) for n in range(1, 301)]


async def test_an_unknown_model_is_refused() -> None:
    _, error = await ask("demo-nobody", user("hi"))
    assert error is not None
    assert (error.code, error.retryable) == ("provider_rejected", False)


WEATHER = Tool(name="weather", description="The weather now.", input_schema={"type": "object"})
NEWS = Tool(name="news")
ASK_WEATHER = 'call the tool weather with {"city": "Bern", "days": [1, 2]}, please'


@pytest.mark.parametrize("model", ["demo-swift", "demo-sage", "demo-thinker", "demo-marathon"])
async def test_a_tool_is_called_when_the_message_says_so(model: str) -> None:
    chunks, error = await ask(model, user(ASK_WEATHER), tools=(WEATHER, NEWS))
    assert error is None
    *_, call, finish = chunks
    assert isinstance(call, ToolCall)
    assert (call.name, call.arguments) == ("weather", '{"city": "Bern", "days": [1, 2]}')
    assert isinstance(finish, Finish)
    assert finish.reason == "tool_calls"


async def test_several_tools_are_called_under_different_ids() -> None:
    chunks, _ = await ask(
        "demo-swift", user(f"{ASK_WEATHER} and call the tool news. Call the tool nobody."), tools=(WEATHER, NEWS)
    )
    calls = [chunk for chunk in chunks if isinstance(chunk, ToolCall)]
    assert [(call.name, call.arguments) for call in calls] == [
        ("weather", '{"city": "Bern", "days": [1, 2]}'),
        ("news", "{}"),
    ]
    assert len({call.call_id for call in calls}) == 2


@pytest.mark.parametrize(
    ("prompt", "fields", "called"),
    [
        (ASK_WEATHER, {}, []),
        (ASK_WEATHER, {"tools": (NEWS,)}, []),
        (ASK_WEATHER, {"tools": (WEATHER,), "tool_choice": ToolChoice(mode="none")}, []),
        ("hello", {"tools": (NEWS, WEATHER), "tool_choice": ToolChoice(mode="required")}, ["news"]),
        ("hello", {"tools": (NEWS, WEATHER), "tool_choice": ToolChoice(mode="function", name="weather")}, ["weather"]),
        (ASK_WEATHER, {"tools": (WEATHER,), "max_tokens": 2}, []),
        (ASK_WEATHER, {"tools": (WEATHER,), "stop": ("ask the",)}, []),
    ],
)
async def test_only_given_tools_are_called_as_the_choice_has_it(
    prompt: str, fields: dict[str, Any], called: list[str]
) -> None:
    chunks, _ = await ask("demo-swift", user(prompt), **fields)
    assert [chunk.name for chunk in chunks if isinstance(chunk, ToolCall)] == called
    assert isinstance(chunks[-1], Finish)
    assert (chunks[-1].reason == "tool_calls") == bool(called)


async def test_a_call_that_was_announced_is_made_by_who_goes_on() -> None:
    whole, _ = await ask("demo-swift", user(ASK_WEATHER), tools=(WEATHER,))
    for place in range(1, len(text(whole)) + 1):
        rest, _ = await ask("demo-swift", [*user(ASK_WEATHER), assistant(text(whole)[:place])], tools=(WEATHER,))
        assert text(whole)[:place] + text(rest) == text(whole)
        assert rest[-2] == whole[-2]


async def test_results_of_tools_are_quoted() -> None:
    results = (
        ToolResult(call_id="1", name="weather", output="rain"),
        ToolResult(call_id="2", output="no", failed=True),
    )
    chunks, _ = await ask("demo-swift", [*user(ASK_WEATHER), Turn(role="tool", results=results)], tools=(WEATHER,))
    assert "The tool weather answered: “rain”. The tool 2 failed: “no”." in text(chunks)
    assert isinstance(chunks[-1], Finish)
    assert chunks[-1].reason == "stop"


async def test_images_of_the_last_message_are_seen() -> None:
    images = (Image(media_type="image/png", data="iVBORw0KGgo="), Image(url="https://example.com/a.jpg"))
    chunks, _ = await ask("demo-swift", [Turn(role="user", content="look", images=images)])
    assert "I see an image (image/png, 8 bytes), an image at https://example.com/a.jpg." in text(chunks)


@pytest.mark.parametrize("stop", ["2 message", "e demo-sw", "I", ". "])
async def test_an_answer_ends_before_a_stop_text_wherever_it_is(stop: str) -> None:
    whole = text((await ask("demo-swift", user("hi")))[0])
    chunks, _ = await ask("demo-swift", user("hi"), stop=("never", stop))
    assert text(chunks) == whole.partition(stop)[0]
    assert isinstance(chunks[-1], Finish)
    assert chunks[-1].reason == "stop"

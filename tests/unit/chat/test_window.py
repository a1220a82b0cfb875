"""What of a conversation fits into a model's window."""

from typing import Any

import pytest

from contracts.content import Image, ToolResult, ToolUse, Turn
from kit.orchestrate.window import TOKENS_PER_IMAGE, TOKENS_PER_TURN
from kit.refusal import Refused
from services.chat.context import Past, Said, turns
from services.chat.window import fit

SYSTEM = Turn(role="system", content="Be brief.")


def turn(role: Any, tokens: int, **more: Any) -> Turn:
    """A turn of so many tokens in all."""
    return Turn(role=role, content="abcd" * (tokens - TOKENS_PER_TURN), **more)


def test_all_that_fits_is_told_and_nothing_is_left_out_without_a_limit() -> None:
    talk = [SYSTEM, turn("user", 100), turn("assistant", 100), turn("user", 100)]
    assert fit(talk, None) == (tuple(talk), 0)
    assert fit(talk, 1_000) == (tuple(talk), 0)


@pytest.mark.parametrize(("budget", "left"), [(500, 0), (499, 2), (300, 2), (299, 4), (100, 4)])
def test_the_oldest_exchanges_are_left_out_whole(budget: int, left: int) -> None:
    talk = [turn(role, 100) for role in ("user", "assistant", "user", "assistant", "user")]
    assert fit(talk, budget) == (tuple(talk[left:]), left)


def test_the_system_prompt_stays() -> None:
    talk = [turn("system", 50), turn("user", 100), turn("assistant", 100), turn("user", 100)]
    assert fit(talk, 200) == ((talk[0], talk[3]), 2)


@pytest.mark.parametrize("talk", [[turn("user", 100)], [turn("system", 60), turn("user", 40)]])
def test_a_message_that_does_not_fit_alone_is_refused(talk: list[Turn]) -> None:
    assert fit(talk, 100) == (tuple(talk), 0)
    with pytest.raises(Refused) as refused:
        fit(talk, 99)
    assert refused.value.problem.code == "context_too_long"


def test_results_of_tools_are_never_without_their_calls() -> None:
    call, result = ToolUse(call_id="c", name="n", arguments="{}"), ToolResult(call_id="c", output="x" * 400)
    asking = [turn("user", 50), turn("assistant", 50, tool_calls=(call,)), Turn(role="tool", results=(result,))]
    old = [turn("user", 100), turn("assistant", 100)]
    kept, left = fit([*old, *asking], 300)
    assert (kept, left) == (tuple(asking), 2)
    with pytest.raises(Refused):
        fit(asking, 150)


def test_an_image_counts() -> None:
    seen = Turn(role="user", content="What?", images=(Image(url="https://x.y/z"),))
    assert fit([turn("user", 50), seen], TOKENS_PER_IMAGE + 50) == ((seen,), 1)


def test_a_call_is_told_only_with_its_result() -> None:
    calls = tuple({"call_id": each, "name": "n", "arguments": "{}"} for each in ("a", "b"))
    asks, results = Said("2", "assistant", "Hm", tool_calls=calls), ({"call_id": "a", "output": "x"},)
    past = Past(None, (Said("1", "user", "Hello"), asks), 2)
    told = turns(past, Said("3", "user", "", tool_results=results))
    assert [[call.call_id for call in each.tool_calls] for each in told] == [[], ["a"], []]
    assert turns(past, Said("3", "user", "Never mind"))[1].tool_calls == ()


def test_an_answer_without_words_is_not_told() -> None:
    past = Past("Be brief.", (Said("1", "user", "a"), Said("2", "assistant", "")), 2)
    assert [each.content for each in turns(past, Said("3", "user", "b"))] == ["Be brief.", "a", "b"]

"""Whether a question fits into a model."""

from typing import Any

import pytest

from contracts.content import Image, Tool, Turn
from contracts.generation import Parameters
from kit.orchestrate.window import TOKENS_PER_IMAGE, TOKENS_PER_TURN, Window, misfit, window_of


def test_the_answer_has_room() -> None:
    window = window_of({"context_window": 10_000, "max_output_tokens": 4_000})
    assert window.question_tokens(Parameters()) == 6_000
    assert window.question_tokens(Parameters(max_tokens=100)) == 9_900
    assert window.question_tokens(Parameters(max_tokens=9_999)) == 5_000
    tools = Parameters(max_tokens=100, tools=(Tool(name="n", description="d" * 4_000),))
    assert 8_000 < (window.question_tokens(tools) or 0) < 8_900
    assert Window().question_tokens(Parameters()) is None
    assert window_of({"context_window": 2_000}).question_tokens(Parameters()) == 1_000


@pytest.mark.parametrize(
    ("card", "sees"), [({}, True), ({"capabilities": ["text"]}, False), ({"capabilities": ["vision"]}, True)]
)
def test_a_model_sees_unless_its_card_says_otherwise(card: dict[str, Any], sees: bool) -> None:
    assert window_of(card).sees is sees


SYSTEM = Turn(role="system", content="abcd" * 10)
SEEN = Turn(role="user", content="What?" * 4, images=(Image(url="https://x.y/z"),))
TOKENS = 10 + 5 + TOKENS_PER_IMAGE + 2 * TOKENS_PER_TURN


def test_a_question_fits_to_the_last_token_or_not_at_all() -> None:
    asked = Parameters(max_tokens=100)
    assert misfit([SYSTEM, SEEN], Window(TOKENS + 100), asked) is None
    error = misfit([SYSTEM, SEEN], Window(TOKENS + 99), asked)
    assert error is not None
    assert (error.code, str(TOKENS - 1) in error.message) == ("context_too_long", True)


def test_what_is_not_known_of_a_model_keeps_nobody_from_asking_it() -> None:
    assert misfit([SYSTEM, SEEN], window_of({}), Parameters()) is None


def test_images_are_for_models_that_see() -> None:
    blind = Window(sees=False)
    error = misfit([SYSTEM, SEEN], blind, Parameters())
    assert error is not None
    assert error.code == "images_not_supported"
    assert misfit([SYSTEM], blind, Parameters()) is None

"""Variables in texts."""

import random

import pytest

from services.architect.variables import Target, Variable, paths, pieces, target


def marked(text: str) -> str:
    """A text with its variables in angle brackets."""
    return "".join(f"<{piece.path}>" if isinstance(piece, Variable) else piece for piece in pieces(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Write about ${topic}.", "Write about <topic>."),
        ("{{ draft.output }}${a}{{b}}", "<draft.output><a><b>"),
        ("${steps.my-step.output}", "<steps.my-step.output>"),
        ("{{{x}}}", "{<x>}"),
        ("$${x}", "$<x>"),
        (r"\${x} \{{x}}", "${x} {{x}}"),
        (r"\\${x} \\\${x}", r"\<x> \${x}"),
        (r"a\b \n ${x}\t", r"a\b \n <x>\t"),
        ("${x", "${x"),
        ("{{x} }", "{{x} }"),
        ('{{"a": 1}} ${HOME:-x} ${} {{ }} ${a+b}', '{{"a": 1}} ${HOME:-x} ${} {{ }} ${a+b}'),
        ("${größe} ${1} ${a b} ${a.}", "<größe> <1> <a b> <a.>"),
        ("${a\nb}", "${a\nb}"),
    ],
)
def test_what_is_a_variable(text: str, shown: str) -> None:
    assert marked(text) == shown


@pytest.mark.parametrize("seed", range(30))
def test_no_character_is_lost(seed: int) -> None:
    luck = random.Random(seed)
    text = "".join(luck.choices(["${", "{{", "}}", "}", "$", "{", "a", "b.c", " ", "\n", "-"], k=200))
    assert "".join(piece.written if isinstance(piece, Variable) else piece for piece in pieces(text)) == text


def test_a_variable_is_named_as_it_was_written() -> None:
    assert paths("${ a } {{b.c}}") == [Variable("a", "${ a }"), Variable("b.c", "{{b.c}}")]


@pytest.mark.parametrize(
    "text", ["\\" * 200_000, "{" * 200_000, "${a" + " " * 200_000, "${" * 100_000, "${a ." * 40_000, "\\{{" * 66_000]
)
def test_a_text_that_is_made_to_be_slow_is_not(text: str) -> None:
    assert paths(text) == []  # the time limit of every test says the rest


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("topic", Target("inputs", "topic")),
        ("inputs.topic", Target("inputs", "topic")),
        ("userInput.topic", Target("inputs", "topic")),
        ("paper.name", Target("inputs", "paper", "name")),
        ("draft.output", Target("steps", "draft", "output")),
        ("steps.draft.status", Target("steps", "draft", "status")),
        ("text", Target("steps", "draft", "output")),
        ("p.name", Target("inputs", "paper", "name")),
        ("loop", None),
        ("steps.topic", None),
        ("inputs.draft.output", None),
        ("inputs", None),
        ("steps", None),
        ("", None),
        ("draft.", None),
        ("draft.output.more", None),
        ("other", None),
    ],
)
def test_where_a_path_leads(path: str, found: Target | None) -> None:
    mapped = {"text": "draft.output", "p": "paper", "loop": "loop"}
    assert target(path, mapped, ("topic", "paper"), ("draft",)) == found


def test_a_field_may_be_called_like_the_predecessors_inputs() -> None:
    assert target("userInput", {}, ("userInput",), ()) == Target("inputs", "userInput")
    assert target("userInput.topic", {}, ("userInput", "topic"), ()) == Target("inputs", "userInput", "topic")

"""What a step asks, with its variables put in."""

import random
from typing import Any

import pytest

from contracts.assistant import Step
from contracts.content import Turn
from kit.refusal import Refused
from services.architect.inputs import checked
from services.architect.rendering import Done, holds, render
from tests.unit.architect.assistants import FILES, LIMITS, done, field, step

VALUES: dict[str, Any] = checked(
    [
        field("topic"),
        field("tags", "multi_select", choices=("a", "b")),
        field("paper", "file"),
        field("papers", "file", max_files=2),
        field("nothing", required=False),
        field("no_file", "file", required=False),
    ],
    {"topic": "tea", "tags": ["b", "a"], "paper": "f1", "papers": ["f1", "f2"]},
    FILES,
    LIMITS,
)
STEPS = (step("draft"), step("lost", on_error="continue"), step("b", "draft", "lost"))
DONE = {"draft": done("Leaves."), "lost": done("Half a", "failed", error="It broke.")}


def asked(prompt: str, **more: Any) -> str:
    turns = render(step("b", "draft", "lost", prompt=prompt, **more), STEPS, VALUES, DONE)
    assert [turn.role for turn in turns] == ["user"]
    return turns[-1].content


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("On ${topic}, {{inputs.topic}} and ${userInput.topic}.", "On tea, tea and tea."),
        ("${tags}", "b, a"),
        ("${paper}|${paper.text}|${paper.name}", "On ${topic}.|On ${topic}.|Paper.PDF"),
        ("${papers}", "## Paper.PDF\n\nOn ${topic}.\n\n## notes.txt\n\nNotes"),
        ("${papers.name}", "Paper.PDF, notes.txt"),
        ("[${nothing}${no_file}${no_file.name}${no_file.text}]", "[]"),
        ("${draft.output} {{steps.draft.output}} ${draft.status} [${draft.error}]", "Leaves. Leaves. completed []"),
        ("${lost.output}, ${lost.status}: ${lost.error}", "Half a, failed: It broke."),
        (r"\${topic} \{{topic}} \\${topic}", r"${topic} {{topic}} \tea"),
        ("{{not one}} {{{topic}}}", " {tea}"),
        ('{"a": {{"b": 1}}}', '{"a": {{"b": 1}}}'),
    ],
)
def test_what_is_put_in(prompt: str, text: str) -> None:
    assert asked(prompt) == text


def test_the_steps_own_variables_win() -> None:
    mapped = {"topic": "draft.output", "file": "paper", "tags": "topic"}
    assert asked("${topic} ${file.name} ${tags} ${inputs.tags}", inputs=mapped) == "Leaves. Paper.PDF tea b, a"


@pytest.mark.parametrize("seed", range(30))
def test_what_is_put_in_is_not_looked_at_again(seed: int) -> None:
    luck = random.Random(seed)
    bits = ["${a}", "{{b}}", "${s.output}", "\\", "${", "{{", "}}", "}", "x", "\\${a}"]
    a, b, output = ("".join(luck.choices(bits, k=8)) for _ in range(3))
    prompt = step("end", "s", prompt="1${a}2{{b}}3${s.output}4{{a}}5")
    turns = render(prompt, (step("s"), prompt), {"a": a, "b": b}, {"s": done(output)})
    assert turns[0].content == f"1{a}2{b}3{output}4{a}5"


def test_the_system_prompt_comes_first_and_only_if_there_is_one() -> None:
    turns = render(step("b", prompt="Hi", system="As ${topic}"), STEPS, VALUES, DONE)
    assert [(turn.role, turn.content) for turn in turns] == [("system", "As tea"), ("user", "Hi")]
    assert len(render(step("b", prompt="Hi", system=" ${nothing}\n"), STEPS, VALUES, DONE)) == 1


def test_history_is_each_steps_own_question_and_answer() -> None:
    steps = (
        step("a", prompt="A?", system="Not told on."),
        step("side", prompt="Side?"),
        step("b", "a", prompt="B?", history=True),
        step("skipped", "b"),
        step("c", "b", "skipped", prompt="C?", system="Be kind.", history=True),
    )
    ended: dict[str, Done] = {
        "skipped": done("", "skipped"),
        "side": done("no", turns=(Turn(role="user", content="Side?"),)),
    }
    for each in steps[:3]:
        ended[each.name] = done(each.name + "!", turns=render(each, steps, {}, ended))
    turns = [(turn.role, turn.content) for turn in render(steps[4], steps, {}, ended)]
    assert turns == [
        ("system", "Be kind."),
        ("user", "A?"),
        ("assistant", "a!"),
        ("user", "B?"),
        ("assistant", "b!"),
        ("user", "C?"),
    ]


def test_an_answer_that_is_empty_is_no_history() -> None:
    b = step("b", "a", prompt="B?", history=True)
    ended = {"a": done(" ", "failed", turns=(Turn(role="user", content="A?"),))}
    assert [turn.content for turn in render(b, (step("a"), b), {}, ended)] == ["B?"]


@pytest.mark.parametrize("prompt", ["${nothing}", " ${no_file}\n"])
def test_nothing_to_ask_is_refused(prompt: str) -> None:
    with pytest.raises(Refused) as refused:
        asked(prompt)
    assert refused.value.problem.code == "empty_prompt"


def test_what_is_asked_has_a_limit() -> None:
    a = step("a", prompt="A?")
    b = step("b", "a", prompt="${topic}${a.output}", system="12", history=True)
    ended = {"a": done("123", turns=(Turn(role="user", content="A?"),))}  # 2 + 2 + 3 + 4 + 3 characters
    assert render(b, (a, b), {"topic": "4444"}, ended, 14)
    with pytest.raises(Refused, match="'b': what it asks has more than 13 characters") as refused:
        render(b, (a, b), {"topic": "4444"}, ended, 13)
    assert refused.value.problem.code == "prompt_too_long"


def test_the_limit_stops_before_the_text_is_made() -> None:
    b = step("b", prompt="${topic}" * 20_000)
    with pytest.raises(Refused, match="more than 4000000"):
        render(b, (b,), {"topic": "x" * 2_000_000}, {}, 4_000_000)  # it would have 40 GB


def test_a_step_without_a_condition_is_taken() -> None:
    assert holds(step("b"), {}, {})


@pytest.mark.parametrize(
    ("condition", "taken"), [("topic == 'tea'", True), ("text == 'Leaves.'", True), ("false", False)]
)
def test_a_condition_knows_what_the_step_knows(condition: str, taken: bool) -> None:
    b: Step = step("b", "draft", condition=condition, inputs={"text": "draft.output"})
    assert holds(b, VALUES, DONE) is taken

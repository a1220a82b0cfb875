"""What is refused when an assistant is saved, and what is made explicit."""

import random
from typing import Any

import pytest

from contracts.assistant import Approval
from contracts.assistant_examples import DEFINITION
from contracts.content import Tool
from contracts.generation import Parameters, Timeouts
from kit.refusal import Refused
from kit.settings import ArchitectSettings
from services.architect.definition import resolved
from tests.unit.architect.assistants import LIMITS, definition, field, listed, random_steps, refusal_of, step


def test_the_example_can_be_run() -> None:
    done = resolved(DEFINITION, LIMITS)
    assert [step.depends_on for step in done.steps] == [(), ("draft",)]
    assert resolved(done, LIMITS) == done


@pytest.mark.parametrize("seed", range(30))
def test_every_graph_without_rings_is_taken_and_stays_as_it_is(seed: int) -> None:
    steps = random_steps(random.Random(seed))
    assert resolved(definition(*steps), LIMITS).steps == tuple(steps)


def test_one_ring_more_and_it_is_refused() -> None:
    told = refusal_of(step("a", "c"), step("b", "a"), step("c", "b"), step("d", "c"))
    assert told == "Steps wait for each other: a → c → b → a (each depends on the next)."


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ([step("a"), step("a")], "'a' is there twice"),
        ([step("topic"), field("topic")], "'topic' is there twice"),
        ([step("steps")], "'steps' is reserved"),
        ([field("inputs")], "'inputs' is reserved"),
        ([step("a", "b")], "Step 'a': it depends on 'b', and there is no such step."),
        ([step("a", "a")], "Step 'a': it depends on itself."),
        ([step("a"), step("b", "a", "a")], "Step 'b': it depends on 'a' twice."),
        ([listed("a", position=1), listed("b")], "Step 'b': it has neither a position"),
        ([step("a", prompt=" \n")], "Step 'a': its prompt is empty."),
        ([step("a", fallbacks=("m2", "m2"))], "'m2' is there twice"),
        ([step("a", fallbacks=("m",))], "'m' is there twice"),
        ([step("a", parameters=Parameters(tools=(Tool(name="t"),)))], "steps have no tools"),
        ([step("a", parameters=Parameters(stop=("x" * 60_000,)))], "Step 'a': The parameters have"),
        ([step("a", inputs={"a b": "topic"}), field()], "'a b' cannot be the name of a variable"),
        ([step("a", inputs={"steps": "topic"}), field()], "'steps' cannot be the name of a variable"),
        ([step("a", timeout_seconds=1e300)], "Step 'a': timeout_seconds is 1e+300; the limit is"),
        ([step("a", timeouts=Timeouts(silence_seconds=1e300))], "silence_seconds"),
        ([step("a", approval=Approval(timeout_seconds=float("inf")))], "approval.timeout_seconds"),
        ([step("a", condition="tone ==")], "Step 'a': The condition cannot be read"),
        ([step("a", condition="tone == 'x'")], "Step 'a': `tone` in its condition: there is no such variable."),
    ],
)
def test_what_is_wrong_is_named_with_its_place(parts: list[Any], told: str) -> None:
    assert told in (refusal_of(*parts) or "nothing")


def test_an_assistant_needs_a_step() -> None:
    with pytest.raises(Refused, match=r"There is no step\."):
        resolved(definition().model_copy(update={"steps": ()}), LIMITS)


@pytest.mark.parametrize(
    ("limits", "parts", "told"),
    [
        ({"max_steps": 1}, [step("a"), step("b")], "There are 2 steps; the limit is 1."),
        ({"max_fields": 0}, [field()], "There are 1 fields; the limit is 0."),
        ({"max_prompt_characters": 5}, [step("a", prompt="123456")], "Step 'a': its prompt has 6 characters"),
        ({"max_prompt_characters": 6}, [step("a", prompt="1", system="1234567")], "its system has 7 characters"),
        ({"max_variables": 1}, [step("a", prompt="${topic} ${topic}"), field()], "2 variables; the limit is 1"),
        ({"max_definition_characters": 99}, [], "The assistant has"),
    ],
)
def test_limits_are_settings(limits: dict[str, int], parts: list[Any], told: str) -> None:
    assert told in (refusal_of(*parts, limits=ArchitectSettings.model_validate(limits)) or "nothing")
    assert refusal_of(*parts) is None


def test_texts_that_cannot_be_stored_are_refused() -> None:
    with pytest.raises(Refused) as refused:
        resolved(definition(step("a", prompt="a\x00b")), LIMITS)
    assert refused.value.problem.code == "invalid_text"


def test_everything_is_told_at_once_but_no_more_than_ten() -> None:
    told = refusal_of(*(step(f"s{number}", prompt="${nobody}") for number in range(13))) or ""
    assert told.count("${nobody}") == 10
    assert told.endswith(" And there is more.")


PAPER, TOPIC, DRAFT = field("paper", "file"), field(), step("draft")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("${topic} {{inputs.topic}} ${userInput.topic} ${paper} {{paper.name}} ${paper.text}", None),
        ("${draft.output} ${steps.draft.status} {{draft.error}} ${text} ${file.name}", None),
        (r"\${nobody} {{not a variable!}} ${not: one}", None),
        (
            "${nobody}",
            "Step 'b': ${nobody} in its prompt: there is no such variable. There is: text, file, paper, topic",
        ),
        ("{{ Topic }}", "{{ Topic }} in its prompt"),
        ("${draft}", "write `draft.output`"),
        ("${draft.outptu}", "a step has no 'outptu'. It has output, status, error."),
        ("${topic.name}", "the field 'topic' has no 'name'."),
        ("${paper.size}", "the field 'paper' has no 'size'. It has text, name."),
        ("${side.output}", "the step 'side' does not come before. There is:"),
        ("${b.output}", "the step 'b' does not come before."),
        ("${later.output}", "the step 'later' does not come before."),
    ],
)
def test_variables_lead_to_inputs_and_to_steps_before(text: str, told: str | None) -> None:
    def refused(**changes: Any) -> str | None:
        mapped = {"text": "draft.output", "file": "paper"}
        b = step("b", "draft", **{"inputs": mapped, **changes})
        return refusal_of(PAPER, TOPIC, DRAFT, step("side"), b, step("later", "b"))

    for changes in ({"prompt": text}, {"system": text}):
        found = refused(**changes)
        assert found is None if told is None else told.replace("prompt", next(iter(changes))) in (found or "nothing")


def test_a_step_before_may_be_far_before() -> None:
    assert refusal_of(step("a"), step("b", "a"), step("c", "b", prompt="${a.output}")) is None


def test_a_wrong_mapping_is_told_of_once() -> None:
    told = refusal_of(step("a", prompt="${text} ${text}", inputs={"text": "nobody.output"})) or ""
    assert told.startswith("Step 'a': the variable 'text': there is no such variable.")
    assert told.count("no such variable") == 1


def test_one_who_makes_a_million_mistakes_is_told_ten() -> None:
    names = [f"s{number:020}" for number in range(200)]
    everything = ArchitectSettings(max_steps=200, max_variables=10**6)
    rings = refusal_of(*(step(name, *(other for other in names if other != name)) for name in names), limits=everything)
    unknown = refusal_of(step("a", prompt="".join(f"${{x{number}}}" for number in range(20_000))), limits=everything)
    long = refusal_of(step("a", "x" * 100_000), field("f", "file", accept=("x" * 100_000,)))
    for told in (rings, unknown):
        assert (told or "").endswith(" And there is more.")
    assert max(len(told or "") for told in (unknown, long)) < 2_000
    assert len(rings or "") < 10_000


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("topic == 'x' and draft.status == 'completed'", None),
        ("steps['draft'].output != '' or inputs['topic'] in ['a', 'b']", None),
        ("contains(lower(text), 'x') if paper else true", None),
        ("false", None),
        ("side.output == 'x'", "`side.output` in its condition: the step 'side' does not come before."),
        ("steps['side'].output == 'x'", "`steps.side.output` in its condition"),
        ("steps[topic].output == 'x'", "by their names"),
        ("draft == 'x'", "write `draft.output`"),
        ("'x'", "a mere value"),
        ("topic && draft.output", "Write `and`, `or`, `not`."),
        ("my-step.output == 'x'", "cannot calculate"),
    ],
)
def test_conditions_are_checked_when_they_are_saved(condition: str, told: str | None) -> None:
    found = refusal_of(
        PAPER, TOPIC, DRAFT, step("side"), step("b", "draft", condition=condition, inputs={"text": "topic"})
    )
    assert found is None if told is None else told in (found or "nothing")


def test_names_are_not_looked_up_in_a_graph_that_is_wrong() -> None:
    told = refusal_of(step("a", "nobody", prompt="${other.output}"))
    assert told == "Step 'a': it depends on 'nobody', and there is no such step."

"""The reference itself: held against evaluations made by hand."""

import random

import pytest

from contracts.assistant import Definition, Step
from tests.assistants import graphs, hashing
from tests.assistants.hashing import CONTINUE, PREFILL, RESTART
from tests.assistants.reference import evaluate

INPUTS = graphs.inputs("m")


def step(name: str, prompt: str = "Hello", **more: object) -> Step:
    return Step.model_validate({"name": name, "prompt": prompt, "model": PREFILL, "retries": 0, **more})


def outcomes(*steps: Step, approvals: dict[str, bool | None] | None = None) -> dict[str, tuple[str, str | None]]:
    found = evaluate(Definition(fields=graphs.FIELDS, steps=steps), INPUTS, approvals)
    return {name: (each.outcome, each.reason) for name, each in found.steps.items()} | {"": (found.outcome, found.code)}


BAD = "[[broken=2]]"
FAILED, DONE, AFTER_FAILURE = ("failed", None), ("completed", None), ("skipped", "dependency_failed")


def test_every_policy_for_what_depends_on_a_failed_step() -> None:
    def with_policy(policy: str) -> dict[str, tuple[str, str | None]]:
        return outcomes(step("a", BAD, on_error=policy), step("b"), step("c"), step("d", depends_on=()))

    assert with_policy("continue") == {"a": FAILED, "b": DONE, "c": DONE, "d": DONE, "": DONE}
    assert with_policy("skip") == {"a": FAILED, "b": AFTER_FAILURE, "c": AFTER_FAILURE, "d": DONE, "": DONE}
    assert with_policy("stop") == {
        "a": FAILED,
        "b": ("skipped", "run_stopped"),
        "c": ("skipped", "run_stopped"),
        "d": DONE,
        "": ("failed", "step_failed"),
    }


def test_skipped_steps_and_what_depends_on_them() -> None:
    never = step("never", condition="tone == 'dry'", depends_on=())
    assert outcomes(never, step("only"), step("yes", depends_on=()), step("both", depends_on=("only", "yes"))) == {
        "never": ("skipped", "condition"),
        "only": ("skipped", "dependencies_skipped"),
        "yes": DONE,
        "both": DONE,
        "": DONE,
    }
    assert outcomes(never, step("only"))[""] == DONE
    assert outcomes(step("a", depends_on=()), never, step("b", depends_on=("never",)))[""] == DONE
    assert outcomes(step("a", BAD, on_error="skip"), step("b"))[""] == ("failed", "no_output")
    assert outcomes(step("a", BAD, on_error="continue"), step("b", condition="tone == 'dry'"))[""] == (
        "failed",
        "no_output",
    )


@pytest.mark.parametrize(("said", "code"), [(False, "approval_rejected"), (None, "approval_timed_out")])
def test_what_is_not_approved_has_failed(said: bool | None, code: str) -> None:
    gate = step("gate", approval={}, on_error="skip")
    found = evaluate(Definition(steps=(gate, step("later"))), {}, {"gate": said})
    assert (found.steps["gate"].code, found.calls) == (code, {})
    assert found.steps["later"].reason == "dependency_failed"
    assert evaluate(Definition(steps=(gate, step("later"))), {}).outcome == "completed"


def test_variables_are_put_in_once_and_make_the_output() -> None:
    first = step("a", "${topic}|{{inputs.points}}|${note}|\\${tone}|\\{{tone}}|{{tone}}")
    second = step("b", "${x} ${a.status} {{ steps.a.output }}", inputs={"x": "userInput.tone"}, system="${tone}")
    found = evaluate(Definition(fields=graphs.FIELDS, steps=(first, second)), INPUTS).steps
    assert found["a"].turns == (("user", f"{INPUTS['topic']}|c, a||${{tone}}|{{{{tone}}}}|formal"),)
    said = hashing.answer(found["a"].turns, PREFILL, 1)  # the topic orders one word
    assert found["a"].output == said
    assert found["b"].turns == (("system", "formal"), ("user", f"formal completed {said}"))


def test_history_is_the_questions_and_answers_of_all_before() -> None:
    found = evaluate(
        Definition(steps=(step("a", "A", system="s"), step("b", "B"), step("c", "C", history=True))), {}
    ).steps
    assert found["c"].turns == (
        *(("user", "A"), ("assistant", found["a"].output)),
        *(("user", "B"), ("assistant", found["b"].output)),
        ("user", "C"),
    )


def test_attempts_and_fallbacks() -> None:
    healed = step("a", "[[refuse=503 after=99 times=2]]", retries=3, depends_on=())
    fallen = step("b", f"[[refuse=400 on={CONTINUE}]]", model=CONTINUE, fallbacks=(RESTART,), depends_on=())
    patient = step("c", "[[refuse=503 times=3]]", depends_on=())
    cut = step("d", "[[cut=3 times=2]]", depends_on=())
    begun = step("e", f"[[broken=1 on={PREFILL}]]", fallbacks=(RESTART,), depends_on=(), on_error="continue")
    lost = step("f", "[[cut=2 times=4]]", retries=2, depends_on=())
    hopeless = step("g", "[[refuse=400 times=1]]", retries=2, depends_on=(), on_error="continue")
    found = evaluate(Definition(steps=(healed, fallen, patient, cut, begun, lost, hopeless)), {})
    assert [(each.outcome, each.attempts, each.model) for each in found.steps.values()] == [
        ("completed", 3, PREFILL),
        ("completed", 1, RESTART),
        ("completed", 1, PREFILL),
        ("completed", 1, PREFILL),
        ("failed", 1, PREFILL),
        ("completed", 2, PREFILL),
        ("failed", 1, PREFILL),
    ]
    assert found.calls == {"a": 3, "b": 2, "c": 4, "d": 3, "e": 1, "f": 5, "g": 1}
    assert found.steps["b"].output == hashing.answer(found.steps["b"].turns, RESTART, 12)
    assert found.steps["e"].output == hashing.answer(found.steps["e"].turns, PREFILL, 1)


def test_positions_are_side_by_side() -> None:
    steps = (step("a", position=1), step("b", position=5), step("c", position=1), step("d", position=5))
    found = evaluate(Definition(steps=(*steps, step("e", "${b.output}", position=9))), {})
    assert found.steps["e"].turns == (("user", found.steps["b"].output),)


def test_twelve_steps_under_each_policy() -> None:
    skipped = {"stop": 2, "skip": 2, "continue": 1}
    for policy, count in skipped.items():
        found = evaluate(graphs.twelve(policy), INPUTS)  # type: ignore[arg-type]
        assert found.outcome == ("failed" if policy == "stop" else "completed")
        assert sum(each.outcome == "skipped" for each in found.steps.values()) == count
        assert found.steps["failing"].output.count(" ") == 8
        assert (found.steps["draft"].attempts, found.steps["critique"].model) == (2, RESTART)
        assert len({each.output for each in found.steps.values() if each.output}) >= 9


def test_graphs_made_by_chance_do_everything() -> None:
    found = [evaluate(graphs.by_chance(random.Random(seed)), INPUTS) for seed in range(60)]
    seen = {(each.outcome, each.reason) for run in found for each in run.steps.values()}
    assert {DONE, FAILED, AFTER_FAILURE, ("skipped", "condition"), ("skipped", "dependencies_skipped")} <= seen

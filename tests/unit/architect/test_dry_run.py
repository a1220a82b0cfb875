"""What a run would ask and cost."""

from typing import Any

from contracts.architect_values import DryRun
from contracts.assistant import Step
from contracts.generation import Parameters
from kit.settings import ArchitectSettings
from services.architect.dry_run import dry_run
from tests.unit.architect.assistants import definition, step

CHEAP: dict[str, Any] = {"id": "m", "prices": {"input": "1", "output": "10"}, "context_window": 1_000}
CARDS = {"m": CHEAP, "free": {"id": "free", "prices": {"input": "0", "output": "0"}}, "unpriced": {"id": "unpriced"}}
LIMITS = ArchitectSettings(dry_run_output_tokens=100)


def tried(*steps: Step, limits: ArchitectSettings = LIMITS, **values: Any) -> DryRun:
    return dry_run(definition(*steps), values, CARDS, limits)


def test_answers_are_marks_and_steps_are_as_they_are_listed() -> None:
    dry = tried(
        step("b", "a", prompt="Sum up: ${a.output}", title="Sum"),
        step("a", prompt="On ${topic}", system="Be kind"),
        topic="${a.output}",
    )
    assert [(each.step, each.title, each.turns[-1].content) for each in dry.steps] == [
        ("b", "Sum", "Sum up: ⟨output of a⟩"),
        ("a", "a", "On ${a.output}"),
    ]
    assert dry.steps[1].turns[0].role == "system"


def test_answers_count_as_long_as_they_may_be() -> None:
    dry = tried(
        step("a", prompt="1234", parameters=Parameters(max_tokens=50)),
        step("b", "a", prompt="${a.output}${a.output}"),
    )
    a, b = dry.steps
    assert (a.input_tokens, a.output_tokens) == (1 + 4, 50)  # what is put around a turn counts as four tokens
    assert (b.input_tokens, b.output_tokens) == (2 * 50 + 4, 100)
    assert (dry.input_tokens, dry.output_tokens) == (109, 150)
    assert (a.cost_usd, b.cost_usd, dry.cost_usd) == ("0.000505", "0.001104", "0.001609")


def test_history_is_asked_again_and_so_is_paid() -> None:
    dry = tried(step("a", prompt="A" * 40), step("b", "a", prompt="B" * 40, history=True))
    assert [turn.content for turn in dry.steps[1].turns] == ["A" * 40, "⟨output of a⟩", "B" * 40]
    assert dry.steps[1].input_tokens == 10 + 100 + 10 + 3 * 4


def test_a_model_without_a_price_makes_the_whole_unknown() -> None:
    dry = tried(step("a", model="free"), step("b", model="unpriced"))
    assert [each.cost_usd for each in dry.steps] == ["0", None]
    assert dry.cost_usd is None
    assert all(each.problem is None for each in dry.steps)


def test_models_that_are_gone_are_a_problem() -> None:
    dry = tried(step("a", model="gone"), step("b", fallbacks=("free", "gone-too")), step("c", fallbacks=("free",)))
    problems = [each.problem and (each.problem.code, "gone" in each.problem.message) for each in dry.steps]
    assert problems == [("unknown_model", True), ("unknown_model", True), None]


def test_a_prompt_over_the_context_window_is_a_problem() -> None:
    dry = tried(
        step("a", prompt="x" * 1_980), step("b", prompt="x" * 2_400), step("c", model="free", prompt="x" * 9_000)
    )
    assert [each.problem and each.problem.code for each in dry.steps] == [None, "context_too_long", None]


def test_what_answers_might_add_is_no_problem_yet() -> None:
    dry = tried(step("a", parameters=Parameters(max_tokens=100_000)), step("b", "a", prompt="${a.output}"))
    assert dry.steps[1].input_tokens > 1_000
    assert dry.steps[1].problem is None


def test_no_answer_is_longer_than_its_model_can_or_memory_allows() -> None:
    limits = ArchitectSettings(max_rendered_characters=1_000)
    endless = Parameters(max_tokens=10**15)
    dry = tried(
        step("a", model="free", parameters=endless), step("b", "a", prompt="${a.output}", model="free"), limits=limits
    )
    assert dry.steps[0].output_tokens == 10**15
    assert dry.steps[1].problem is None
    CARDS["small"] = {"id": "small", "max_output_tokens": 70}
    assert tried(step("a", model="small", parameters=endless)).steps[0].output_tokens == 70


def test_what_cannot_be_rendered_is_a_problem_of_its_step() -> None:
    dry = tried(step("a", prompt="${topic}"), step("b", "a", prompt="${a.output}"), topic=" ")
    assert [each.problem and each.problem.code for each in dry.steps] == ["empty_prompt", None]
    dry = tried(step("a", prompt="12345"), limits=ArchitectSettings(max_rendered_characters=4))
    assert [each.problem and each.problem.code for each in dry.steps] == ["prompt_too_long"]

"""The predecessor's exports: what becomes of each part, and what is said about what cannot be taken over."""

import copy
from typing import Any

import pytest

from contracts.assistant import Choice, Definition
from kit.refusal import Refused
from kit.settings import ArchitectSettings
from services.architect import legacy_import
from services.architect.brought import Brought, Models
from services.architect.definition import resolved
from services.architect.rendering import Done, render
from tests.fixtures.predecessor import exported

LIMITS = ArchitectSettings()
OFFERED = ("demo-swift", "demo-sage")
MODELS = Models({"gpt-4o": "somebody-elses"}, OFFERED)


def read(document: dict[str, Any]) -> list[Brought]:
    return legacy_import.read(document, MODELS)


def refusal(document: dict[str, Any]) -> str:
    with pytest.raises(Refused) as caught:
        read(document)
    assert caught.value.problem.code == "not_importable"
    return caught.value.problem.message


@pytest.fixture
def lesson() -> Brought:
    (brought,) = read(exported("lesson"))
    return brought._replace(definition=resolved(brought.definition, LIMITS))


def asked(definition: Definition, name: str, values: dict[str, Any], outputs: dict[str, str]) -> str:
    """What a step's model is asked at last."""
    step = next(step for step in definition.steps if step.name == name)
    done = {each: Done(output=output, status="completed") for each, output in outputs.items()}
    return render(step, definition.steps, values, done)[-1].content


def test_fields_keep_their_kinds_bounds_and_order(lesson: Brought) -> None:
    fields = lesson.definition.fields
    assert [(field.name, field.kind, field.label, field.required) for field in fields] == [
        ("subject", "short_text", "Subject", True),
        ("notes", "long_text", "Notes", False),
        ("grade-level", "select", "Grade level", False),
        ("Lernziele_ubrig", "multi_select", "Goals", False),
        ("reading", "file", "Reading", True),
    ]
    assert (fields[0].placeholder, fields[0].max_length) == ("Photosynthesis", 120)
    assert fields[2].choices == (
        *(Choice(value="5", label="Fifth"), Choice(value="6", label="Sixth")),
        Choice(value="7"),
    )
    assert fields[2].default == "6"
    assert (fields[3].min_selections, fields[3].max_selections) == (1, 2)
    assert fields[4].accept == (".pdf", ".docx")


def test_one_position_is_side_by_side_and_timeouts_are_meant(lesson: Brought) -> None:
    steps = lesson.definition.steps
    assert [(step.name, step.depends_on, step.timeout_seconds, step.history) for step in steps] == [
        ("Outline", (), 120, True),
        ("Outline_2", ("Outline",), None, True),
        ("Exercises", ("Outline",), 30.5, True),
        ("Put_together", ("Outline_2", "Exercises"), None, True),
    ]
    assert [step.title for step in steps] == ["", "Outline", "", "Put together"]


def test_placeholders_mean_what_they_meant(lesson: Brought) -> None:
    values = {"subject": "light", "grade-level": "6", "notes": "", "reading": [], "Lernziele_ubrig": []}
    assert asked(lesson.definition, "Outline", values, {}) == (
        'Outline a lesson on light for grade 6.\n\nKeep \\LaTeX and "{{ }}" and ${unknown_thing} and {{also.unknown}}.'
    )
    outputs = {"Outline": "O", "Outline_2": "Q", "Exercises": "E"}
    assert asked(lesson.definition, "Exercises", values, outputs) == "Exercises from O about light"
    assert asked(lesson.definition, "Put_together", values, outputs) == (
        "Combine Q, E and 6; the first was O. ${self}"  # the mapping comes before the field of that name
    )


def test_a_mapping_that_leads_nowhere_leaves_the_field_of_that_name() -> None:
    document = changed(("assistants", 0, "prompts", 3, "input_mapping"), {"subject": "prompt_999.output"})
    (brought,) = read(document)
    step = brought.definition.steps[-1]
    assert "and ${subject};" in step.prompt
    assert step.inputs == {}


def test_models_are_mapped_kept_or_replaced(lesson: Brought) -> None:
    assert [step.model for step in lesson.definition.steps] == [
        "somebody-elses",
        "demo-sage",
        "demo-swift",
        "demo-swift",
    ]
    document = exported("lesson")
    document["assistants"][0]["prompts"][2]["model"] = "gpt-3"
    (brought,) = read(document)
    assert brought.definition.steps[2].model == "demo-swift"
    assert "Step 'Exercises': There is no model 'gpt-3'; 'demo-swift' takes its place." in brought.warnings
    with pytest.raises(Refused, match="Nobody can tell"):
        legacy_import.read(document, Models({}, ()))


def test_what_is_lost_is_said(lesson: Brought) -> None:
    assert lesson.warnings == (
        "Its icon was left out.",
        "Field 'notes': rows left out.",
        "Field 'reading': max_size left out.",
        "Step 'Outline': nothing that comes before is meant by ${unknown_thing}, {{also.unknown}}; "
        "it was kept as text.",
        "Step 'Outline_2': nothing that comes before is meant by ${where.ever}; it was kept as text.",
        "Step 'Outline_2': its knowledge repositories were left out.",
        "Step 'Outline_2': its tools were left out.",
        "Step 'Put_together': nothing that comes before is meant by ${self}; it was kept as text.",
    )


def test_the_other_spelling_reserved_names_and_agents() -> None:
    first, second = (each._replace(definition=resolved(each.definition, LIMITS)) for each in read(exported("agent")))
    assert [field.name for field in first.definition.fields] == ["inputs_2", "_1st"]
    assert first.definition.fields[0].required
    assert [(step.name, step.depends_on) for step in first.definition.steps] == [
        ("inputs_3", ()),
        ("step_2", ("inputs_3",)),
    ]
    assert (first.definition.timeout_seconds, first.definition.steps[0].timeout_seconds) == (300, 60)
    values = {"inputs_2": "X", "_1st": "Y"}
    step = first.definition.steps[0]
    assert [turn.content for turn in render(step, first.definition.steps, values, {})] == ["Be \\X", "X Y"]
    assert asked(first.definition, "step_2", values, {"inputs_3": "Z"}) == "Then Z"
    assert any("agentic" in warning for warning in first.warnings)
    assert "Step 'step_2': No model is named; 'demo-swift' takes its place." in first.warnings
    assert (second.name, second.definition.steps[0].model, second.warnings) == ("Second", "demo-swift", ())


def test_one_assistant_without_the_list_around_it() -> None:
    (one,) = exported("lesson")["assistants"]
    assert read({"version": "1.0", "assistant": one}) == read({"version": 1.0, **one}) == read(exported("lesson"))


def changed(where: tuple[Any, ...], value: Any) -> dict[str, Any]:
    document = copy.deepcopy(exported("lesson"))
    part: Any = document
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    return document


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        (("version",), "2.0", "version: It is '2.0'"),
        (("assistants",), [], "assistants: "),
        (("assistants",), "many", "assistants: "),
        (("assistants", 0), 7, "assistants[0]: "),
        (("assistants", 0, "prompts"), [], "assistants[0].prompts: "),
        (("assistants", 0, "prompts", 1, "content"), "", "assistants[0].prompts[1].content: "),
        (("assistants", 0, "prompts", 1, "position"), -1, "assistants[0].prompts[1].position: "),
        (("assistants", 0, "prompts", 1, "position"), "first", "assistants[0].prompts[1].position: "),
        (("assistants", 0, "prompts", 1, "timeout_seconds"), "long", "assistants[0].prompts[1].timeout_seconds: "),
        (("assistants", 0, "prompts", 1, "input_mapping"), [1], "assistants[0].prompts[1].input_mapping: "),
        (("assistants", 0, "input_fields", 0, "field_type"), "date", "assistants[0].input_fields[0].field_type: "),
        (("assistants", 0, "input_fields", 1, "options", "choices"), 5, "input_fields[1].options.choices: "),
        (("assistants", 0, "input_fields", 1, "options", "choices"), [None], "input_fields[1].options.choices[0]: "),
        (("assistants", 0, "input_fields", 0, "options", "maxLength"), "x", "assistants[0].input_fields[0].max_length"),
    ],
)
def test_a_refusal_names_the_place(where: tuple[Any, ...], value: Any, said: str) -> None:
    assert said in refusal(changed(where, value))


def test_something_else_is_no_export() -> None:
    assert "neither our export nor the predecessor's" in refusal({"hello": "world"})


@pytest.mark.parametrize(
    "text",
    ["\\" * 300_000, "{{" * 150_000, "${" + "a." * 150_000, "${x} " * 60_000, "{{ " * 100_000],
    ids=["slashes", "brackets", "path", "mapped", "blanks"],
)
def test_a_text_that_was_made_to_be_slow_is_not(text: str) -> None:
    """Whoever looks again and again at what was read already takes longer than a test may."""
    document = changed(("assistants", 0, "prompts", 0, "content"), text)
    document["assistants"][0]["prompts"][0]["input_mapping"] = {"x": "${" + "}" * 300_000}
    (brought,) = read(document)
    step = brought.definition.steps[0]
    assert render(step, brought.definition.steps, {}, {})[-1].content == text
    assert sum(map(len, brought.warnings)) < 5_000


def test_what_is_said_is_short_whatever_the_file_says() -> None:
    long = "x" * 1_000_000
    said = refusal(changed(("assistants", 0, "input_fields", 0, "field_type"), long))
    said += refusal(changed(("version",), long))
    (brought,) = read(changed(("assistants", 0, "prompts", 0, "model"), long))
    assert len(said) + sum(map(len, brought.warnings)) < 5_000

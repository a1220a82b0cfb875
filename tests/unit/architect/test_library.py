"""The assistants that come with the product."""

import yaml

from kit.settings import ArchitectSettings
from services.architect import library
from tests.architecture.source import ROOT


def test_there_are_three_that_can_be_saved_and_run_without_keys() -> None:
    examples = library.examples(ArchitectSettings())
    assert [example.name for example in examples] == ["difficult-letter", "document-review", "meeting-minutes"]
    catalogue = yaml.safe_load((ROOT / "services/inference/models.yaml").read_text(encoding="utf-8"))
    demo = {model["id"] for model in catalogue["models"] if model["provider"] == "demo"}
    for example in examples:
        assert example.title
        assert example.description
        assert {model for step in example.definition.steps for model in (step.model, *step.fallbacks)} <= demo


def test_together_they_show_what_steps_can_do() -> None:
    steps = [step for example in library.examples(ArchitectSettings()) for step in example.definition.steps]
    assert any(step.approval for step in steps)
    assert any(step.condition for step in steps)
    assert any(step.fallbacks for step in steps)
    assert {step.on_error for step in steps} == {"stop", "skip", "continue"}
    assert {field.kind for example in library.read() for field in example.definition.fields} == {
        *("short_text", "long_text", "select", "multi_select", "file"),
    }

"""Our own files: out and in again, and what is refused."""

from typing import Any

import pytest

from contracts.assistant_examples import DEFINITION
from kit.refusal import Refused
from kit.settings import ArchitectSettings
from services.architect import export, library
from services.architect.brought import Models
from services.architect.definition import resolved

LIMITS = ArchitectSettings()
MODELS = Models({}, ("demo-swift", "demo-sage", "demo-thinker"))
WHOLE = resolved(DEFINITION, LIMITS)


def test_what_goes_out_comes_in_again() -> None:
    document = export.document_of("Summaries", "Sums up.", WHOLE)
    (brought,) = export.read(document, MODELS)
    assert (brought.name, brought.description, brought.definition) == ("Summaries", "Sums up.", WHOLE)
    assert brought.warnings == ()
    assert resolved(brought.definition, LIMITS) == WHOLE
    assert export.document_of(brought.name, brought.description, brought.definition) == document


def test_every_example_of_the_library_does() -> None:
    for example in library.examples(LIMITS):
        (brought,) = export.read(export.document_of(example.title, "", example.definition), MODELS)
        assert (brought.definition, brought.warnings) == (example.definition, ())


def test_models_that_are_not_offered_are_replaced_and_told_of() -> None:
    document = export.document_of("Summaries", "", WHOLE)
    (brought,) = export.read(document, Models({"demo-sage": "b"}, ("a",)))
    assert [(step.model, step.fallbacks) for step in brought.definition.steps] == [("a", ()), ("a", ("b",))]
    assert len(brought.warnings) == 2
    (brought,) = export.read(document, Models({"demo-swift": "b"}, ("a",)))
    assert [(step.model, step.fallbacks) for step in brought.definition.steps] == [("b", ()), ("b", ())]
    assert brought.warnings == ("Step 'summary': the fallbacks demo-sage are not offered and were left out.",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "zip"}, "format: "),
        ({"version": 2}, "version: "),
        ({"assistants": []}, "assistants: "),
        ({"assistants": [{"name": "x"}]}, "assistants[0].definition: "),
        ({"assistants": [{"name": "x", "definition": {"steps": [{"name": "a b"}]}}]}, "definition.steps[0].name: "),
    ],
)
def test_a_refusal_names_the_place(change: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused) as caught:
        export.read(export.document_of("Summaries", "", WHOLE) | change, MODELS)
    assert caught.value.problem.code == "not_importable"
    assert said in caught.value.problem.message

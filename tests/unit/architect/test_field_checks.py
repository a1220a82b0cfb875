"""What is refused of an assistant's input fields."""

from typing import Any

import pytest

from kit.settings import ArchitectSettings
from tests.unit.architect.assistants import field, refusal_of

AB = ("a", "b")


@pytest.mark.parametrize(
    "good",
    [
        {"kind": "short_text", "min_length": 0, "max_length": 3, "default": "abc", "placeholder": "x"},
        {"kind": "long_text", "min_length": 3, "default": "abc"},
        {"kind": "select", "choices": AB, "default": "b"},
        {"kind": "multi_select", "choices": AB, "default": ("b",), "min_selections": 1, "max_selections": 5},
        {"kind": "file", "accept": (".pdf", "text/*", "application/vnd.ms-excel", ".old.csv"), "max_files": 2},
    ],
)
def test_what_belongs_to_a_kind_is_taken(good: dict[str, Any]) -> None:
    assert refusal_of(field(**good)) is None


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"choices": AB}, "choices is not for short_text"),
        ({"min_selections": 0}, "min_selections is not for short_text"),
        ({"accept": (".pdf",)}, "accept is not for short_text"),
        ({"kind": "select", "choices": AB, "max_selections": 1}, "max_selections is not for select"),
        ({"kind": "select", "choices": AB, "max_length": 1}, "max_length is not for select"),
        ({"kind": "file", "min_length": 1}, "min_length is not for file"),
        ({"kind": "file", "choices": AB}, "choices is not for file"),
        ({"kind": "multi_select", "choices": AB, "max_files": 1}, "max_files is not for multi_select"),
        ({"min_length": 5, "max_length": 4}, "min_length is more than max_length (4)"),
        ({"min_length": 200_001}, "min_length is more than max_length (200000)"),
        ({"max_length": 200_001}, "the limit is 200000"),
        ({"kind": "select"}, "it has no choices"),
        ({"kind": "multi_select"}, "it has no choices"),
        ({"kind": "select", "choices": ("a", "a")}, "'a' is there twice"),
        ({"kind": "select", "choices": ("a", " ")}, "a choice is empty"),
        ({"kind": "multi_select", "choices": AB, "min_selections": 3}, "only 2 can be chosen"),
        ({"kind": "multi_select", "choices": AB, "min_selections": 2, "max_selections": 1}, "only 1 can be chosen"),
        ({"kind": "file", "accept": ("pdf",)}, "'pdf' is no media type"),
        ({"kind": "file", "accept": ("text/*; x",)}, "is no media type"),
        ({"kind": "file", "accept": ("*/*",)}, "is no media type"),
        ({"kind": "file", "max_files": 21}, "max_files is 21; the limit is 20"),
        ({"kind": "file", "default": "f1"}, "a file has no default"),
        ({"default": "abc", "max_length": 2}, "its default: it has 3 characters; the limit is 2"),
        ({"default": ("abc",)}, "its default: it has to be a text"),
        (
            {"kind": "select", "choices": AB, "default": "c"},
            "its default: there is no choice 'c'. There are: 'a', 'b'.",
        ),
        ({"kind": "select", "choices": AB, "default": ("a",)}, "its default: it has to be a text"),
        ({"kind": "multi_select", "choices": AB, "default": "a"}, "its default: it has to be a list"),
        ({"kind": "multi_select", "choices": AB, "default": ("c",)}, "its default: there is no choice 'c'"),
        ({"kind": "multi_select", "choices": AB, "default": AB, "max_selections": 1}, "its default: 2 are chosen"),
    ],
)
def test_what_does_not_is_refused_with_the_fields_name(bad: dict[str, Any], told: str) -> None:
    found = refusal_of(field(**bad)) or "nothing"
    assert found.startswith("Field 'topic': ")
    assert told in found


def test_where_no_file_may_be_given_no_field_asks_for_one() -> None:
    assert "the limit is 0" in (refusal_of(field(kind="file"), limits=ArchitectSettings(max_files=0)) or "nothing")

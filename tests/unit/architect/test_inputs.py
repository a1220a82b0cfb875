"""What is given for a run, held against the fields of its assistant."""

from typing import Any

import pytest

from contracts.assistant import InputField
from kit.refusal import Refused
from kit.settings import ArchitectSettings
from services.architect.inputs import checked, file_ids, shown
from tests.unit.architect.assistants import FILES, LIMITS, NOTES, PAPER, field


def taken(given: Any, limits: ArchitectSettings = LIMITS, **more: Any) -> Any:
    """What comes of a value that is given for one field."""
    return checked([field("x", **more)], {"x": given}, FILES, limits)["x"]


def refused(fields: list[InputField], given: dict[str, Any], limits: ArchitectSettings = LIMITS) -> str:
    with pytest.raises(Refused) as refusal:
        checked(fields, given, FILES, limits)
    assert refusal.value.problem.code == "invalid_inputs"
    return refusal.value.problem.message


SELECT: dict[str, Any] = {"kind": "select", "choices": ("a", "b")}
MULTI: dict[str, Any] = {"kind": "multi_select", "choices": ("a", "b", "c")}
FILE: dict[str, Any] = {"kind": "file", "max_files": 2}
OPTIONAL: dict[str, Any] = {"required": False}


@pytest.mark.parametrize(
    ("given", "more", "value"),
    [
        ("  a topic ", {}, "a topic"),
        (" as it\n is \n", {"kind": "long_text"}, " as it\n is \n"),
        ("é" * 80, {"max_length": 80}, "é" * 80),
        ("b", SELECT, "b"),
        (["c", "a"], MULTI, ["c", "a"]),
        (("c",), MULTI, ["c"]),
        ("f1", FILE, [PAPER.model_dump()]),
        (["f2", "f1"], FILE, [NOTES.model_dump(), PAPER.model_dump()]),
        (None, OPTIONAL, ""),
        (" ", OPTIONAL, ""),
        (None, OPTIONAL | SELECT, ""),
        (None, OPTIONAL | MULTI | {"min_selections": 2}, []),
        ([], OPTIONAL | MULTI, []),
        (None, OPTIONAL | FILE, []),
        (None, {"default": "usual"}, "usual"),
        (None, MULTI | {"default": ("b", "c")}, ["b", "c"]),
        ("", OPTIONAL | {"default": "usual"}, ""),
        (None, OPTIONAL | {"default": "usual"}, "usual"),
    ],
)
def test_what_is_taken(given: Any, more: dict[str, Any], value: Any) -> None:
    assert taken(given, **more) == value


def test_what_is_not_given_is_there_as_nothing() -> None:
    fields = [field("x", required=False), field("y", default="usual"), field("z", **OPTIONAL | MULTI)]
    assert checked(fields, {}, {}, LIMITS) == {"x": "", "y": "usual", "z": []}


@pytest.mark.parametrize(
    ("given", "more", "told"),
    [
        (None, {}, "it is required"),
        ("", {}, "it is required"),
        (" \n ", {"kind": "long_text"}, "it is required"),
        ("", {"default": "usual"}, "it is required"),
        ([], MULTI, "it is required"),
        ([], FILE, "it is required"),
        (3, {}, "it has to be a text"),
        (True, {}, "it has to be a text"),
        (["a"], {}, "it has to be a text"),
        ({"a": 1}, {"kind": "long_text"}, "it has to be a text"),
        ("a\x00b", {}, "NUL"),
        ("\ud800", {}, "not valid Unicode"),
        (" a ", {"min_length": 2}, "it has 1 characters; 2 or more are needed"),
        ("abc", {"max_length": 2}, "it has 3 characters; the limit is 2"),
        ("x" * 200_001, {"kind": "long_text"}, "the limit is 200000"),
        ("c", SELECT, "there is no choice 'c'. There are: 'a', 'b'."),
        (["a"], SELECT, "it has to be a text"),
        (1, SELECT, "it has to be a text"),
        ("a", MULTI, "it has to be a list of texts"),
        ([1], MULTI, "it has to be a list of texts"),
        ([["a"]], MULTI, "it has to be a list of texts"),
        (["a", "d"], MULTI, "there is no choice 'd'"),
        (["a", "a"], MULTI, "a choice is there twice"),
        (["a"], MULTI | {"min_selections": 2}, "1 are chosen; 2 or more are needed"),
        (["a", "b", "c"], MULTI | {"max_selections": 2}, "3 are chosen; the limit is 2"),
        ("f3", FILE, "there is no file 'f3'"),
        (["f1", "f1"], FILE, "a file is there twice"),
        (["f1", "f2"], {"kind": "file"}, "there are 2 files; the limit is 1"),
        (7, FILE, "it has to be the id of a file"),
        ([{"id": "f1"}], FILE, "it has to be the id of a file"),
        ({"id": "f1"}, FILE, "it has to be the id of a file"),
    ],
)
def test_what_is_refused(given: Any, more: dict[str, Any], told: str) -> None:
    message = refused([field("x", **more)], {"x": given})
    assert message.startswith("x: ")
    assert told in message


@pytest.mark.parametrize(
    ("accept", "ids", "good"),
    [
        ((".pdf",), "f1", True),
        ((".pdf",), "f2", False),
        (("application/pdf",), "f1", True),
        (("text/plain",), "f2", True),
        (("TEXT/*",), "f2", True),
        (("text/*",), "f1", False),
        (("text/*", ".pdf"), ["f1", "f2"], True),
        ((".pdf",), ["f1", "f2"], False),
    ],
)
def test_files_of_a_kind(accept: tuple[str, ...], ids: Any, good: bool) -> None:
    fields = [field("x", accept=accept, **FILE)]
    if good:
        assert checked(fields, {"x": ids}, FILES, LIMITS)
    else:
        assert "is not of a kind that is taken" in refused(fields, {"x": ids})


def test_all_that_is_wrong_is_told_at_once() -> None:
    told = refused([field("a"), field("b", **SELECT), field("c")], {"b": "x", "c": "fine", "d": 1})
    assert told == "There is no field 'd'. a: it is required. b: there is no choice 'x'. There are: 'a', 'b'."


def test_but_not_a_million_times() -> None:
    told = refused([field()], {"topic": "x"} | {f"f{number}" * 100: 1 for number in range(1000)})
    assert told.endswith(" And there is more.")
    assert len(told) < 2_000


def test_a_run_has_limits_of_its_own() -> None:
    fields = [field("a", "long_text"), field("b", **FILE), field("c", **MULTI)]
    given = {"a": "12345", "b": ["f1", "f2"], "c": ["a", "b"]}  # 5 + 12 + 5 + 2 characters
    assert checked(fields, given, FILES, ArchitectSettings(max_inputs_characters=24, max_files=2))
    assert "have 24 characters; the limit is 23" in refused(fields, given, ArchitectSettings(max_inputs_characters=23))
    assert "There are 2 files; the limit of a run is 1." in refused(fields, given, ArchitectSettings(max_files=1))


def test_which_files_are_asked_for() -> None:
    fields = [field("a"), field("b", "file"), field("c", "file"), field("d", "file"), field("e", "file")]
    given = {"a": "text", "b": "f1", "c": ["f2", 3, "", None], "d": {"id": "f4"}, "f": "f5"}
    assert file_ids(fields, given) == {"f1", "f2"}


def test_people_see_files_without_their_text() -> None:
    values = checked(
        [field("a"), field("b", "file"), field("c", **MULTI)], {"a": "x", "b": "f1", "c": ["a"]}, FILES, LIMITS
    )
    file = {"id": "f1", "name": "Paper.PDF", "media_type": "application/pdf", "bytes": 9}
    assert shown(values) == {"a": "x", "b": [file], "c": ["a"]}

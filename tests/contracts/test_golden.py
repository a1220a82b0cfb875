"""Messages stay readable: what was written once is read for ever, and what is newer than we are is tolerated."""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts import events
from tests.contracts.golden import FOLDER, Case, cases

CASES = list(cases())
FREE_FORM = {"changes", "document", "input_schema", "inputs", "labels", "models", "outputs", "response_format"}

FILES = [(case, path) for case in CASES for path in case.versions()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_message_is_written_as_its_newest_golden_file_says(case: Case) -> None:
    assert case.versions(), f"{case.name} has no golden file: python -m tests.contracts.golden"
    newest = case.versions()[-1]
    assert newest.read_text(encoding="utf-8") == case.text(), "a changed message needs a new version, not a new file"


@pytest.mark.parametrize(("case", "path"), FILES, ids=lambda value: value.name)
def test_every_version_of_a_message_is_still_read(case: Case, path: Path) -> None:
    read = case.decode(path.read_bytes())
    assert type(read) is type(case.message)
    kept = json.loads(case.encode(read))
    assert _within(json.loads(path.read_bytes()), kept), "something that was said is lost"


@pytest.mark.parametrize(("case", "path"), FILES, ids=lambda value: value.name)
def test_fields_of_tomorrow_are_ignored(case: Case, path: Path) -> None:
    newer = json.dumps(_with_more(json.loads(path.read_bytes()))).encode()
    assert case.decode(newer) == case.decode(path.read_bytes())


def test_event_types_of_tomorrow_are_none() -> None:
    assert events.decode(b'{"type":"generation.sang","lane":"main","at":1,"tune":"la"}') is None


def test_an_event_that_is_known_and_broken_is_no_event_of_tomorrow() -> None:
    with pytest.raises(Exception, match="text"):
        events.decode(b'{"type":"generation.delta","lane":"main","at":1}')


def test_no_golden_file_is_of_a_message_that_is_gone() -> None:
    known = {path for _, path in FILES}
    assert set(FOLDER.rglob("*.json")) == known, "a message that was written once must stay readable"


def _with_more(value: Any) -> Any:
    """The same with an unknown field in every object but the free-form ones, which keep what they are given."""
    if isinstance(value, dict):
        return {key: item if key in FREE_FORM else _with_more(item) for key, item in value.items()} | {"soon": [1]}
    return [_with_more(item) for item in value] if isinstance(value, list) else value


def _within(old: Any, new: Any) -> bool:
    """Whether everything in the old value is in the new one."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(key in new and _within(item, new[key]) for key, item in old.items())
    if isinstance(old, list):
        return isinstance(new, list) and len(old) == len(new) and all(map(_within, old, new))
    return bool(old == new)

"""The predecessor's placeholders as our variables."""

import pytest

from services.architect.legacy_variables import Known, translated

KNOWN = Known({"topic": "topic"}, {}, (), has_ids=True)


@pytest.mark.parametrize(
    ("theirs", "ours", "unknown"),
    [
        ("${topic} {{ topic }} ${userInput.topic}", "${topic} ${topic} ${topic}", []),
        ("${nobody}", "\\${nobody}", ["${nobody}"]),
        ("{{{topic}}} ${{topic}}", "{${topic}} $${topic}", []),
        ("{{{nobody}}}", "{\\{{nobody}}}", ["{{nobody}}"]),
        ("a { b }} ${ ${topic}", "a { b }} ${ ${topic}", []),
        ("\\${topic}", "\\\\${topic}", []),
    ],
)
def test_what_is_known_becomes_a_variable_and_the_rest_a_text(theirs: str, ours: str, unknown: list[str]) -> None:
    left: dict[str, None] = {}
    assert translated(theirs, {}, KNOWN, {}, left) == ours
    assert list(left) == unknown


def test_a_hostile_row_of_backslashes_is_done_at_once() -> None:
    long = "\\" * 200_000
    assert translated(long, {}, KNOWN, {}, {}) == long

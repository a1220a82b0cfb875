"""The language of conditions: what holds, what is refused, and that nothing of it grows."""

import random
from typing import Any

import pytest

from contracts.assistant import FieldKind
from services.architect.conditions import MAX_CHARACTERS, evaluate
from services.architect.expression import parsed, paths
from services.architect.names import Names
from services.architect.values import Done, Known

VALUES: dict[str, Any] = {
    "tone": "kind",
    "count": " 12 ",
    "tags": ["a", "b"],
    "no_tags": [],
    "nothing": "",
    "my-field": "x",
    "length": "short",
    "paper": [{"name": "p.pdf", "text": "On tea"}],
}
DONE = {
    "draft": Done("Yes, indeed", "completed"),
    "lost": Done("", "failed", "It broke"),
    "my-step": Done("y", "completed"),
    "in": Done("z", "skipped"),
}
KNOWN = Known({"text": "draft.output"}, DONE, VALUES, DONE)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("tone == 'kind'", True),
        ('tone != "kind"', False),
        ("tone == 'kind' and not draft.status == 'failed'", True),
        ("lost.status == 'failed' or tone == 'rude'", True),
        ("'indeed' in draft.output", True),
        ("'indeed' not in steps.draft.output", False),
        ("text == draft.output", True),
        ("lost.error == 'It broke'", True),
        ("'a' in tags", True),
        ("tags == ['a', 'b']", True),
        ("contains(tags, 'c') or contains(tone, 'in')", True),
        ("tone in ['rude', 'kind'] and tone in ('kind',)", True),
        ("length(tags) == 2 and length == 'short'", True),
        ("length(draft.output) > 5", True),
        ("number(count) >= 12 and number(count) < 12.5 and -1 < 0", True),
        ("lower(tone) == 'kind' and upper(tone) == 'KIND' and trim(count) == '12'", True),
        ("starts_with(draft.output, 'Yes') and ends_with(draft.output, 'eed')", True),
        ("inputs['my-field'] == 'x' and steps['my-step'].output == 'y' and steps['in'].status == 'skipped'", True),
        ("steps['my-step']['output'] == 'y'", True),
        ("paper == 'On tea' and paper.name == 'p.pdf'", True),
        ("nothing", False),
        ("no_tags", False),
        ("tags and tone", True),
        ("nobody == ''", True),
        ("true and not false and True and not False", True),
        ("'x' == 'y' if tone == 'kind' else true", False),
        ("1 < 2 < 3", True),
        ("  tone ==\n\n 'kind' # or not\n and true\n", True),
    ],
)
def test_what_holds(condition: str, holds: bool) -> None:
    assert evaluate(condition, KNOWN) is holds


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "tone ==",
        "tone = 'kind'",
        "tone === 'kind'",
        "tone && draft.output",
        "'text'",
        "3",
        "['a']",
        "None",
        "2 ** 10 ** 10 == 1",
        "'a' * 10 ** 9 == ''",
        "'%1000000000d' % 1 == ''",
        "1 << 100000 == 1",
        "tone + tone == ''",
        "f'{tone:>1000000000}' == ''",
        "[x for x in tags] == []",
        "[*tags] == []",
        "{'a': 1} == {}",
        "(lambda: 1)() == 1",
        "(x := 1) == 1",
        "tone.format() == ''",
        "tone.upper() == ''",
        "''.join(tags) == ''",
        "().__class__.__bases__ == ()",
        "__import__('os') == 1",
        "open('x') == 1",
        "eval('1') == 1",
        "length(length) == length.__self__()",
        "lower(text=tone) == ''",
        "lower(*tags) == ''",
        "lower() == ''",
        "contains(tone) == true",
        "tone[0] == 'k'",
        "tone[0:1] == 'k'",
        "tags[tone] == 'k'",
        "steps[tone].output == ''",
        "steps['a.b'].output == ''",
        "(tone or draft).output == ''",
        "tone is tone",
        "await tone",
        "1j == 1",
        "b'a' == tone",
        "... == tone",
        "tone; tone",
        "tone\ntone",
        "import os",
        "tone == '\x00'" + "\x00",
        "(" * 990 + "1" + ")" * 990,
        "[" * 990 + "]" * 990,
        "-" * 1999 + "1",
        "not " * 400 + "tone",
        "tone" + ".a" * 900,
        "tone" + "[0]" * 600,
        "lower(" * 300 + "tone" + ")" * 300,
        "[" + "1," * 999 + "]",
        "1 if 1 else " * 150 + "1",
    ],
)
def test_what_cannot_be_written(condition: str) -> None:
    with pytest.raises(ValueError, match=r"^(The|A|This) .+\.$"):
        parsed(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "draft.output < 3",
        "'a' in 3",
        "number(tone) > 1",
        "number('nan') > 1",
        "number('1e999') > 1",
        "number(tags) > 1",
        "number('" + "1" * 41 + "') > 1",
        "-tone == 'x'",
        "lower(tags) == ''",
        "starts_with(tone, 1)",
        "contains(1, tone)",
        "length(3) == 3",
    ],
)
def test_what_cannot_be_told_is_said_in_a_sentence(condition: str) -> None:
    parsed(condition)
    with pytest.raises(ValueError, match=r"^The condition .+[.?]$"):
        evaluate(condition, KNOWN)


@pytest.mark.parametrize("name", ["contains.__globals__", "tone.__class__", "__builtins__", "draft['__dict__']"])
def test_pythons_inner_names_are_unknown_variables_like_others(name: str) -> None:
    assert evaluate(f"{name} == ''", KNOWN)
    fields: dict[str, FieldKind] = {"tone": "short_text"}
    names = Names(fields, frozenset(DONE), tuple(DONE))
    assert all(names.problem_of(path, {}) for path in paths(parsed(f"{name} == 'x'")))


def test_its_variables_are_found() -> None:
    tree = parsed(
        "length(topic) > 3 and steps['my-step'].output in [a.output, inputs.b] or true if not c else x == 'y.z'"
    )
    assert sorted(paths(tree)) == ["a.output", "c", "inputs.b", "steps.my-step.output", "topic", "x"]


def test_only_so_much_is_looked_at() -> None:
    known = Known({}, (), {"long": "é" * (MAX_CHARACTERS // 20)}, {})
    few, many = (" or ".join(["lower(upper(long)) == 'x'"] * times) for times in (6, 7))
    assert evaluate(few, known) is False
    with pytest.raises(ValueError, match="looks at more than"):
        evaluate(many, known)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_written_it_holds_or_does_not_or_is_refused(seed: int) -> None:
    luck = random.Random(seed)
    words = [
        *"()[],.<>=-*%",
        "==",
        "in",
        "not",
        "and",
        "or",
        "if",
        "else",
        "tone",
        "tags",
        "draft",
        "output",
        "'a'",
        "1",
    ]
    words += ["lower", "number", "contains", "lambda", "for", ":", "true", "None", "steps", "'draft'", "**", "x"]
    good = 0
    for _ in range(500):
        condition = " ".join(luck.choices(words, k=luck.randint(1, 7)))
        try:
            good += evaluate(condition, KNOWN) in (True, False)
        except ValueError:
            continue
    assert good

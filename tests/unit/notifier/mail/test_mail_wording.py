"""What a mail says in its own words."""

from typing import Any

import pytest

from contracts.message import Problem
from services.notifier.mail.amounts import cost, duration
from services.notifier.mail.cleaning import clean, one_line
from services.notifier.mail.wording import problem_of, status_of, subject_of
from tests.mail_samples.contents import content


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (None, ""), (-5, "0.0 s"), (400, "0.4 s"), (9_949, "9.9 s"), (9_950, "10 s"), (59_499, "59 s"),
        (59_500, "1 min"), (95_000, "1 min 35 s"), (599_499, "9 min 59 s"), (599_500, "10 min"), (723_000, "12 min"),
        (3_569_000, "59 min"), (3_570_500, "1 h"), (3_840_000, "1 h 4 min"), (86_399_000, "1 d"),
        (97_200_000, "1 d 3 h"), (172_800_000, "2 d"),
    ],
)  # fmt: skip
def test_durations(milliseconds: int | None, said: str) -> None:
    assert duration(milliseconds) == said


@pytest.mark.parametrize(
    ("usd", "said"),
    [
        (None, ""), ("", ""), ("0", ""), ("0.000", ""), ("-1", ""), ("NaN", ""), ("Infinity", ""), ("free", ""),
        ("0.0123", "$0.0123"), ("0.01234567", "$0.0123"), ("0.0009", "$0.0009"), ("0.000042", "$0.000042"),
        ("1E-30", "$0.000000000000"), ("0.121", "$0.12"), ("12.4", "$12.40"), ("1234.5", "$1,234.50"),
    ],
)  # fmt: skip
def test_costs(usd: str | None, said: str) -> None:
    assert cost(usd) == said


@pytest.mark.parametrize(
    ("given", "subject"),
    [
        ({"duration_ms": 3_840_000, "title": "Market report"}, "Done: Market report (1 h 4 min)"),
        ({"duration_ms": None}, "Done: How do rivers meander?"),
        ({"outcome": "failed", "duration_ms": 720_000}, "Failed after 12 min: How do rivers meander?"),
        ({"outcome": "failed", "duration_ms": None}, "Failed: How do rivers meander?"),
        ({"outcome": "cancelled"}, "Stopped: How do rivers meander?"),
        ({"outcome": None, "occasion": "approval"}, "Waiting for you: How do rivers meander?"),
        ({"outcome": None}, "Ended: How do rivers meander?"),
        ({"title": "", "kind": "compare", "duration_ms": None}, "Done: your comparison"),
        ({"title": " \r\n\u202e\x00 ", "duration_ms": None}, "Done: your chat"),
        ({"title": "a\r\nBcc: b\u2028c", "duration_ms": None}, "Done: a Bcc: b c"),
    ],
)
def test_subjects(given: dict[str, Any], subject: str) -> None:
    assert subject_of(content(**given)) == subject


def test_a_long_title_is_cut_at_a_word() -> None:
    subject = subject_of(content(title="word " * 60, duration_ms=None))
    assert subject == "Done: " + "word " * 16 + "word…"
    assert len(subject_of(content(title="x" * 500))) < 120


def test_problems_in_human_words() -> None:
    assert problem_of(None) == ""
    assert problem_of(Problem(code="a", message="It\nbroke.")) == "It broke."
    assert problem_of(Problem(code="timeout", message=" ")) == "It took too long."
    assert problem_of(Problem(code="odd_thing", message="")) == "It failed: odd thing."
    assert problem_of(Problem(code="", message="")) == "It failed: nobody said why."


def test_a_status_in_words() -> None:
    assert [status_of(word) for word in ("completed", "approval", "half_done", "")] == [
        "done",
        "waits for you",
        "half done",
        "unknown",
    ]


def test_several_lines_keep_their_letters() -> None:
    assert clean("a\r\nb\rc\u2028d\x00\te\u202e \ud800👩\u200d👩 \u0646\u200c\u0645") == (
        "a\nb\nc\nd\te 👩\u200d👩 \u0646\u200c\u0645"
    )


def test_one_line_is_one_line() -> None:
    assert one_line("  a\r\n\tb\u2029c\u202e\ud800\ufeff  👩\u200d👩 ", 40) == "a b c 👩\u200d👩"
    assert one_line("abcdefghij", 5) == "abcd…"
    assert one_line("", 5) == ""

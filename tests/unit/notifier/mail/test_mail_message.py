"""The headers and the bodies of a mail."""

import re
from datetime import UTC, datetime

import pytest

from contracts.message import Problem
from kit.notifier_settings import NotifierSettings
from kit.runtime.errors import StartError
from services.notifier.content import Answer, StepLine
from services.notifier.failures import NeverError
from services.notifier.mail.addresses import check_sender
from services.notifier.mail.message import Recipient
from services.notifier.transports.envelope import envelope_of
from tests.mail_samples.contents import SAMPLES, content
from tests.unit.notifier.mail.composing import LINK, UNSUBSCRIBE, bodies, composed

LONG = "A sentence of some words. " * 400
GMAIL_BYTES = 102_000
"""Gmail shows no more of a mail."""


def test_the_headers() -> None:
    raw = composed(content(duration_ms=None), settings={"reply_to": "help@example.com"}).as_bytes()
    head, _, _ = raw.partition(b"\r\n\r\n")
    assert re.sub(r"=_[0-9a-f]{32}", "=_…", head.decode()).split("\r\n") == [
        "From: AI Studio <studio@example.com>",
        "To: Ada Lovelace <ada@example.com>",
        "Reply-To: help@example.com",
        "Subject: Done: How do rivers meander?",
        "Date: Fri, 27 Nov 2026 14:03:00 +0000",
        "Message-ID: <dlv_1@example.com>",
        f"List-Unsubscribe: <{UNSUBSCRIBE}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        "MIME-Version: 1.0",
        "Content-Type: multipart/alternative;",
        ' boundary="=_…"',
    ]


def test_the_same_values_are_the_same_mail() -> None:
    assert composed().as_bytes() == composed().as_bytes()


def test_without_a_way_to_unsubscribe_nothing_speaks_of_it() -> None:
    message = composed(unsubscribe=None)
    assert "List-Unsubscribe" not in message
    assert "List-Unsubscribe-Post" not in message
    assert not any("nsubscribe" in body for body in bodies(message))


def test_a_moment_without_a_zone_is_utc() -> None:
    assert composed(content(happened_at=datetime(2026, 1, 1)))["Date"].datetime == datetime(2026, 1, 1, tzinfo=UTC)  # noqa: DTZ001


def test_the_text_is_told_as_it_is() -> None:
    told = "# Töle\n\n  *a* <b> & `c`\n\n```\n| x |\n```\n漢字 .\n.\nFrom here\n-- \nend"
    text, page = bodies(composed(content(answers=(Answer(text=told),))))
    assert f"\n\n{told}\n\n" in text
    assert LINK in text
    assert "漢字" in page


def test_a_long_text_is_cut_and_says_so() -> None:
    text, page = bodies(composed(content(answers=(Answer(text=LONG),)), settings={"max_text_characters": 500}))
    _, answer = page.split('class="answer"')
    assert text.count("A sentence") == answer.count("A sentence") == 19
    for body in (text, page):
        assert body.count("… the rest is behind the link.") == 1
    text, page = bodies(composed(content(answers=(Answer(text=LONG),)), settings={"max_text_characters": 0}))
    assert "A sentence" not in text


def test_several_answers_share_the_limit() -> None:
    answers = (Answer(text=LONG, label="a"), Answer(text="Short.", label="b"), Answer(text=LONG, label="c"))
    text, _ = bodies(composed(content(answers=answers), settings={"max_text_characters": 1_000}))
    assert "Short." in text
    assert text.count("… the rest is behind the link.") == 2
    assert 900 < text.count("A sentence of some words.") * 26 < 1_000
    assert [line for line in text.split("\n") if line.startswith("==")] == [
        "== a: done ==",
        "== b: done ==",
        "== c: done ==",
    ]


def test_a_comparison_with_one_that_failed() -> None:
    text, page = bodies(composed(SAMPLES["comparison"]))
    for body in (text, page):
        assert body.count("The model's provider broke off the answer.") == 1
        assert "gemini-2.5-pro" in body
    assert page.count(">failed</span>") == 1


def test_a_blind_comparison_names_no_model() -> None:
    told = SAMPLES["blind"]
    text, page = bodies(composed(told))
    for body in (text, page):
        assert "Answer A" in body
        assert "Model" not in body
        assert "None" not in body
    unlabelled = content(answers=(Answer(text="x"), Answer(text="y")), model=None)
    assert "== Answer 2: done ==" in bodies(composed(unlabelled))[0]


def test_the_steps_of_an_assistant() -> None:
    steps = (
        StepLine(title="Draft <b>", status="completed", model="gpt-5", duration_ms=64_000, cost_usd="0.0123"),
        StepLine(title="Check", status="failed", error=Problem(code="timeout", message="It took too long.")),
        StepLine(title="", status="skipped"),
    )
    text, page = bodies(composed(content(kind="architect", steps=steps)))
    assert text.partition("== Steps ==\n\n")[2].split("\n")[:4] == [
        "1. Draft <b>: done, 1 min 4 s, $0.0123, gpt-5",
        "2. Check: failed",
        "   It took too long.",
        "3. Untitled step: skipped",
    ]
    assert "Draft &lt;b&gt;" in page
    assert page.count('class="status') == 3


def test_an_approval_says_what_waits() -> None:
    text, page = bodies(composed(SAMPLES["approval"]))
    for body in (text, page):
        assert "A step waits for you: Write the mail to the board" in body
        assert "the tone" in body
        assert LINK in body
    assert "Look and decide" in page
    assert "Duration" not in text


def test_a_failure_is_told_once() -> None:
    problem = Problem(code="x", message="The provider is away.")
    failed = Answer(text="Half", outcome="failed", error=problem)
    text, page = bodies(composed(content(outcome="failed", error=problem, answers=(failed,))))
    assert text.count("The provider is away.") == 1
    assert page.count("The provider is away.") == 2  # and in what lists of mails show


def test_the_bare_minimum() -> None:
    text, _ = bodies(composed(content(title="", answers=(), model=None, duration_ms=None, cost_usd=None), link=""))
    assert text.startswith("Done: your chat\nYour answer is ready.\n\n-- \n")


def test_gmail_shows_all_of_a_long_mail() -> None:
    rich = "- **a** [link](https://example.com) `code` and some more words in a list that goes on\n" * 240
    _, page = bodies(composed(content(answers=(Answer(text=rich),)), settings={"max_text_characters": 20_000}))
    assert len(page.encode()) < GMAIL_BYTES


@pytest.mark.parametrize(
    ("email", "address", "utf8"),
    [
        ("ada@bücher.de", "ada@xn--bcher-kva.de", False),
        ("jörg@bücher.de", "jörg@xn--bcher-kva.de", True),
        (" user@localhost ", "user@localhost", False),
        ("o'neil+x@corp.local", "o'neil+x@corp.local", False),
    ],
)
def test_addresses_beyond_ascii(email: str, address: str, utf8: bool) -> None:
    envelope = envelope_of(composed(to=Recipient(email, "Jörg")))
    assert (envelope.recipient, envelope.utf8) == (address, utf8)
    assert envelope.data.isascii() is not utf8
    assert envelope.data.endswith(b"\r\n")


@pytest.mark.parametrize(
    "email",
    ["", "ada", "@example.com", "ada@", "a b@example.com", "ada@example.com\r\nRCPT TO:<b@c>", "a@b@c,d", "<ada@b.de>",
     "ada@-b.de", "ada@b..de", "a" * 65 + "@b.de", "a\u202eb@c.de", "a\ud800@c.de", "ada@" + "b." * 130 + "de",
     '"a"@b.de'],
)  # fmt: skip
def test_an_address_that_is_none_is_never_written_to(email: str) -> None:
    with pytest.raises(NeverError) as refused:
        composed(to=Recipient(email, None))
    assert (refused.value.code, refused.value.target_is_bad) == ("address_refused", True)


@pytest.mark.parametrize(
    "sender", ["", "AI Studio", "a@b.de, c@d.de", "AI Studio <a b@c.de>", "a@b.de\r\nBcc: c@d.de", "jörg@b.de", "x <>"]
)
def test_a_bad_sender_is_found_at_the_start(sender: str) -> None:
    with pytest.raises(StartError, match="STUDIO_NOTIFIER_SENDER cannot be used"):
        check_sender(NotifierSettings(sender=sender))
    with pytest.raises(StartError, match="STUDIO_NOTIFIER_REPLY_TO cannot be used"):
        check_sender(NotifierSettings(reply_to=sender or "nobody"))


def test_the_sender_of_the_settings_is_good() -> None:
    check_sender(NotifierSettings())
    message = composed(settings={"sender": '"Müller, Jörg" <a@bücher.de>'})
    assert str(message["From"]) == "Müller Jörg <a@xn--bcher-kva.de>"


def test_the_host_of_an_id_is_ascii() -> None:
    message = composed(message_id="<dlv_1@bücher.de>", settings={"sender": "a@bücher.de"})
    assert b"\r\nMessage-ID: <dlv_1@xn--bcher-kva.de>\r\n" in message.as_bytes()


@pytest.mark.parametrize("text", ["`a` " * 5_000, ("|a|b|\n|-|-|\n" + "|a|b|\n" * 20 + "\n") * 110, "# a\n" * 5_000])
def test_html_that_is_too_long_for_gmail_tells_less(text: str) -> None:
    told, page = bodies(composed(content(answers=(Answer(text=text),)), settings={"max_text_characters": 20_000}))
    assert 40_000 < len(page.encode()) < GMAIL_BYTES
    assert UNSUBSCRIBE in page
    assert page.count("… the rest is behind the link.") == 1
    assert len(told) >= min(len(text), 19_000)


def test_many_steps() -> None:
    steps = tuple(StepLine(title=f"Step {n}", status="completed", model="gpt-5", duration_ms=n) for n in range(50))
    _, page = bodies(composed(content(kind="architect", answers=(Answer(text=LONG),), steps=steps)))
    assert len(page.encode()) < GMAIL_BYTES
    assert "Step 49" in page

"""Whatever users and models make up, a mail has its own headers, its own parts and no HTML but ours."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from contracts.message import Problem
from services.notifier.content import Answer, StepLine
from services.notifier.mail.message import Recipient
from tests.mail_samples.contents import SAMPLES, content
from tests.unit.notifier.mail.composing import LINK, UNSUBSCRIBE, bodies, composed, read
from tests.unit.notifier.mail.nasty import nasty

HEADERS = [
    *("From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted"),
    *("X-Auto-Response-Suppress", "MIME-Version", "Content-Type"),
]
OUR_TAGS = {"html", "head", "meta", "title", "style", "body", "div", "span"}
THEIR_TAGS = {
    *("a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s"),
    *("strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
ATTRIBUTES = {
    *("align", "aria-hidden", "border", "cellpadding", "cellspacing", "charset", "class", "content", "dir", "href"),
    *("lang", "name", "rel", "role", "start", "style", "title", "width"),
}


class Page(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def hold(message: Any) -> None:
    """Everything that must be so in any mail."""
    raw = message.as_bytes()
    assert raw.isascii()
    assert b"\x00" not in raw
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    seen = read(raw)
    assert seen.keys() == HEADERS
    assert not seen.defects
    assert all(not seen[name].defects for name in ("From", "To", "Date", "Subject"))
    assert [address.addr_spec for address in seen["To"].addresses] == ["ada@example.com"]
    assert [address.addr_spec for address in seen["From"].addresses] == ["studio@example.com"]
    assert seen["Subject"] == message["Subject"]
    assert [part.get_content_type() for part in seen.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    text, page = bodies(message)
    for said in (text, page, str(seen["Subject"])):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]", said)
    hold_page(page)


def hold_page(page: str) -> None:
    """Nothing is loaded, nothing runs, and links lead to the web or to a mailbox."""
    tags = Page(page).tags
    assert {tag for tag, _ in tags} <= OUR_TAGS | THEIR_TAGS
    for tag, attributes in tags:
        assert set(attributes) <= ATTRIBUTES
        assert "url(" not in (attributes.get("style") or "")
        if href := attributes.get("href"):
            assert tag == "a"
            assert re.match("https?:|mailto:", href)
            assert attributes.get("rel") == "noopener noreferrer nofollow" or href in {LINK, UNSUBSCRIBE}
    assert [tag for tag, _ in tags].count("style") == 1
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert not re.search(r"url\(|@import|http", style)
    assert len(style) < 8192  # Gmail takes no longer one


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples(name: str) -> None:
    hold(composed(SAMPLES[name]))


@pytest.mark.parametrize("seed", range(4))
def test_nasty_texts_anywhere(seed: int) -> None:
    for number, text in enumerate(nasty(seed, 25)):
        problem = Problem(code=text, message=text)
        told = content(
            kind=("chat", "compare", "architect")[number % 3],
            occasion="approval" if number % 4 == 0 else "ended",
            outcome=("completed", "failed", "cancelled", None)[number % 4],
            title=text,
            answers=(Answer(text=text, label=text, model=text, error=problem), Answer(text=text * 3)),
            steps=(StepLine(title=text, status=text, model=text, cost_usd=text, error=problem),),
            step=text,
            instructions=text,
            error=problem,
            model=text,
            cost_usd=text,
            duration_ms=number * 10_007,
        )
        hold(composed(told, to=Recipient("ada@example.com", text)))


def test_the_evil_sample_is_shown_as_text_and_loses_its_links() -> None:
    text, page = bodies(composed(SAMPLES["injected"]))
    assert "<script>" not in page
    assert '&lt;script&gt;alert("text")&lt;/script&gt;' in page
    assert "{{ 7*7 }}" in page
    assert "{{ config }}" in page
    hrefs = [attributes["href"] for tag, attributes in Page(page).tags if tag == "a" and "href" in attributes]
    assert hrefs == [
        "https://tracker.example/p.png",
        "https://ok.example/?a=1&b=%22onmouseover=%22alert(1)",
        "https://auto.example/path",
        LINK,
        UNSUBSCRIBE,
    ]
    assert '<script>alert("text")</script>' in text


def test_a_title_that_looks_like_an_encoded_word_is_not_decoded() -> None:
    title = "=?utf-8?q?a=0D=0AX-Evil:_1?="
    assert str(read(composed(content(title=title)).as_bytes())["Subject"]) == f"Done: {title} (1 min 35 s)"


@pytest.mark.parametrize(
    "name", ["Ada <b@evil.example>" * 8, "b@evil.example, Ada", '"Lovelace, Ada" ' * 9, "Ada\r\nBcc: x@y"]
)
def test_a_name_is_no_address(name: str) -> None:
    hold(composed(to=Recipient("ada@example.com", name)))


def test_a_text_cannot_end_its_part() -> None:
    boundary = composed().get_boundary()
    hold(composed(content(answers=(Answer(text=f"a\n--{boundary}--\n--{boundary}\nContent-Type: text/html\n\n<b>"),))))


@pytest.mark.parametrize(
    "text", ["[" * 20_000, "*a_ " * 5_000, "`" * 20_000, "> " * 10_000, "![" * 10_000, "| " * 10_000, "- " * 10_000]
)
def test_what_makes_parsers_slow_or_deep(text: str) -> None:
    hold(composed(content(answers=(Answer(text=text),)), settings={"max_text_characters": 20_000}))


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "", "https://a b\r\nX: y", "/v1/runs/1", "https://[", "https://x/\ud800"]
)
def test_links_that_are_none(link: str) -> None:
    page = bodies(composed(link=link))[1]
    hold_page(page.replace("https://a%20b%0D%0AX:%20y", LINK))

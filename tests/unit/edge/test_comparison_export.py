"""A comparison as Markdown: whatever is said in it, it stays where it belongs."""

from datetime import UTC, datetime
from typing import Any

import pytest
from markdown_it import MarkdownIt

from contracts.compare_values import ComparedLane, Comparison, LaneRating, Vote
from contracts.content import Image, Turn
from contracts.generation import Parameters, TokenUsage
from contracts.message import Problem
from services.edge.comparison_export import markdown, told

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
NASTY = [
    "```python\nprint('never closed')",
    "````\n```\n`````\n# Not a heading",
    "~~~\nnever closed",
    "</details><!-- never closed",
    "# A heading\n\n---\n\n| a | b |\n|---|---|",
    "``````````` eleven",
    "> quoted\n\n    indented",
    "ends with a newline\n",
    "\r\nwindows\r\n```\r\n",
    "[link]: http://example.com 'title'",
]

SHAPED = Parameters(temperature=0.2, response_format={"type": "json_object"})


def comparison(**fields: Any) -> Comparison:
    lanes = (
        ComparedLane(
            lane="lane_1",
            model="one",
            provider="p",
            status="completed",
            text="First",
            finish_reason="stop",
            usage=TokenUsage(input_tokens=3, output_tokens=5),
            cost_usd="0.5",
            first_token_ms=10,
            total_ms=20,
            tokens_per_second=31.5,
        ),
        ComparedLane(
            lane="lane_2", model="two", status="failed", text=None, error=Problem(code="x", message="It broke.")
        ),
    )
    common: dict[str, Any] = {"id": "cmp_1", "title": "Title", "status": "completed", "created_at": AT}
    turns = (Turn(role="system", content="Be brief."), Turn(role="user", content="Hello"))
    return Comparison(**{**common, "turns": turns, "lanes": lanes, **fields})


def read(text: str) -> tuple[list[str], list[str]]:
    """The headings and the fenced blocks, as a reader of Markdown has them."""
    tokens = MarkdownIt().enable("table").parse(text)
    assert {token.type for token in tokens} <= {
        *("heading_open", "heading_close", "inline", "fence", "bullet_list_open", "bullet_list_close"),
        *("list_item_open", "list_item_close", "paragraph_open", "paragraph_close"),
    }
    headings = [tokens[number + 1] for number, token in enumerate(tokens) if token.type == "heading_open"]
    shown = ["".join(part.content for part in heading.children or ()) for heading in headings]
    return shown, [token.content for token in tokens if token.type == "fence"]


def test_everything_is_in_it() -> None:
    vote = Vote(
        outcome="winner", winner="lane_1", ratings=(LaneRating(lane="lane_2", rating="down"),), comment="Clearest."
    )
    text = markdown(comparison(vote=vote, parent_run_id="cmp_0", parameters=SHAPED))
    headings, blocks = read(text)
    assert headings == ["Title", "Asked", "System prompt", "User", "Answers", "1. one", "2. two", "Vote"]
    assert blocks == ["Be brief.\n", "Hello\n", "First\n", "Clearest.\n"]
    for line in (
        "- Comparison: `cmp_1`",
        "- Begun: 2026-01-01 12:00:00 UTC",
        "- Goes on from: `cmp_0`",
        '- Parameters: `{"temperature":0.2,"response_format":{"type":"json_object"}}`',
        "- Status: completed (stop)",
        "- Provider: p",
        "- First token after 10 ms",
        "- Whole answer after 20 ms",
        "- Tokens per second: 31.5",
        "- Tokens: 3 in, 5 out",
        "- Cost: 0.5 USD",
        "- Error: It broke.",
        "- Best answer: 1 (one)",
        "- Answer 2 (two): down",
    ):
        assert line in text.splitlines(), line


@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_that_is_said_ends_its_block(nasty: str) -> None:
    lanes = (
        ComparedLane(lane="lane_1", model="one", status="completed", text=nasty),
        ComparedLane(lane="lane_2", model="two", status="completed", text="After"),
    )
    text = markdown(comparison(lanes=lanes, turns=(Turn(role="user", content=nasty),)))
    headings, blocks = read(text)
    assert headings == ["Title", "Asked", "User", "Answers", "1. one", "2. two"]
    whole = nasty.replace("\r\n", "\n")
    whole += "" if whole.endswith("\n") else "\n"
    assert blocks == [whole, whole, "After\n"]


@pytest.mark.parametrize("nasty", [*NASTY, "*bold* _and_ [x](y) <b> & `code` | #", "a\\*b", "", "   "])
def test_names_and_titles_are_only_words(nasty: str) -> None:
    lanes = (ComparedLane(lane="lane_1", model=nasty, provider=nasty, status="completed", text="First"),)
    headings, blocks = read(markdown(comparison(title=nasty, lanes=lanes, turns=(Turn(role="user", content="Hello"),))))
    words = " ".join(nasty.split())
    assert headings == [words or "Comparison", "Asked", "User", "Answers", f"1. {words or 'Answer'}"]
    assert blocks == ["Hello\n", "First\n"]


def test_images_are_named() -> None:
    images = (Image(url="https://x.y/z`"), Image(media_type="image/png", data="aGk="))
    text = markdown(comparison(turns=(Turn(role="user", images=images),)))
    assert "Image: `` https://x.y/z` ``" in text
    assert "Image: `image/png`" in text
    assert "aGk=" not in text


@pytest.mark.parametrize("outcome", ["tie", "all_bad"])
def test_a_draw_names_nobody(outcome: Any) -> None:
    text = markdown(comparison(vote=Vote(outcome=outcome)))
    assert {"tie": "- Best answer: none, a tie", "all_bad": "- Best answer: none is good"}[outcome] in text


def test_a_blind_one_tells_only_the_answers() -> None:
    """Whatever compare might say of it."""
    hidden = comparison(blind=True, revealed=False, id="cmp_1_blind", error=Problem(code="x", message="two broke"))
    both = markdown(hidden) + told(hidden).model_dump_json()
    for secret in ("one", "two", "31.5", "0.5", "broke", '"p"', '"finish_reason":"stop"', "(stop)", "20 ms"):
        assert secret not in both.replace("Be brief.", "").replace("No text", ""), secret
    assert "First" in both
    assert read(markdown(hidden))[0][-2:] == ["1. Answer", "2. Answer"]
    assert "The models are hidden until the vote." in markdown(hidden)

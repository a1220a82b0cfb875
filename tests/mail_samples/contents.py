"""What the samples tell."""

from datetime import UTC, datetime
from typing import Any

from contracts.message import Problem
from services.notifier.content import Answer, Content, StepLine
from tests.mail_samples.texts import EVIL_TEXT, EVIL_TITLE, LONG_ANSWER, REPORT

AT = datetime(2026, 11, 27, 14, 3, tzinfo=UTC)
MINUTE_MS = 60_000


def content(**given: Any) -> Content:
    """A chat answer that is done, but for what is given."""
    values: dict[str, Any] = {
        "run_id": "chat_01k3x9v4t2c8",
        "kind": "chat",
        "occasion": "ended",
        "outcome": "completed",
        "title": "How do rivers meander?",
        "answers": (Answer(text="Slowly."),),
        "model": "claude-sonnet-4-5",
        "duration_ms": 95_000,
        "cost_usd": "0.0123",
        "happened_at": AT,
    }
    return Content(**{**values, **given})


def _step(title: str, status: str = "completed", **more: Any) -> StepLine:
    return StepLine(title=title, status=status, **more)


STEPS = (
    _step("Read the brief", model="gpt-5-mini", duration_ms=3_400, cost_usd="0.0009"),
    _step("Find competitors", model="gpt-5", duration_ms=4 * MINUTE_MS + 12_000, cost_usd="0.0841"),
    _step("Find prices", model="gpt-5", duration_ms=7 * MINUTE_MS, cost_usd="0.1210"),
    _step(
        "Read the annual reports",
        "failed",
        model="gemini-2.5-pro",
        duration_ms=2 * MINUTE_MS,
        cost_usd="0.0312",
        error=Problem(code="provider_unavailable", message="The model's provider did not answer, 3 times in a row."),
    ),
    _step("Sum up the annual reports", "skipped"),
    _step("Interview notes, sorted by theme and by how often each was mentioned", model="claude-sonnet-4-5",
          duration_ms=11 * MINUTE_MS, cost_usd="0.2204"),
    _step("Strengths and weaknesses", model="claude-opus-4-1", duration_ms=9 * MINUTE_MS, cost_usd="0.7300"),
    _step("Market size", model="gpt-5", duration_ms=6 * MINUTE_MS, cost_usd="0.1020"),
    _step("Check the numbers", "skipped"),
    _step("Write the report", model="claude-opus-4-1", duration_ms=14 * MINUTE_MS, cost_usd="1.1034"),
    _step("Translate into German", model="claude-sonnet-4-5", duration_ms=8 * MINUTE_MS, cost_usd="0.2010"),
    _step("Write the mail to the board", model="gpt-5-mini", duration_ms=31_000, cost_usd="0.0041"),
)  # fmt: skip

SAMPLES: dict[str, Content] = {
    "chat": content(title="Rust vs Go für unseren Ingest-Dienst", answers=(Answer(text=LONG_ANSWER),)),
    "assistant": content(
        run_id="arc_01k3x9v4t2c8",
        kind="architect",
        title="Market report",
        answers=(Answer(text=REPORT, label="Write the report"),),
        steps=STEPS,
        model=None,
        duration_ms=64 * MINUTE_MS,
        cost_usd="2.5981",
    ),
    "comparison": content(
        run_id="cmp_01k3x9v4t2c8",
        kind="compare",
        title="Explain tail latency to a product manager",
        answers=(
            Answer(text="Think of a **supermarket**: most queues are short, and one is not.\n\nThat one is the tail.",
                   label="claude-opus-4-1", model="claude-opus-4-1"),
            Answer(text="- p50: half are faster\n- p99: one in a hundred is slower\n\nYour *best* customers make the "
                        "most calls, so they meet the tail most often.", label="gpt-5", model="gpt-5"),
            Answer(text="Tail latency is the", label="gemini-2.5-pro", model="gemini-2.5-pro", outcome="failed",
                   error=Problem(code="provider_error", message="The model's provider broke off the answer.")),
            Answer(text="Latency is a distribution. Averages hide its end.", label="llama-4-maverick",
                   model="llama-4-maverick"),
        ),
        model=None,
        duration_ms=MINUTE_MS + 24_000,
        cost_usd="0.0461",
    ),
    "blind": content(
        run_id="cmp_01k3x9v4t2c8_blind",
        kind="compare",
        title="Which name is better?",
        answers=(Answer(text="**Harbour**. It is short.", label="Answer A"),
                 Answer(text="I would keep the old one.", label="Answer B")),
        model=None,
        cost_usd=None,
    ),
    "approval": content(
        run_id="arc_01k3x9v4t2c8",
        kind="architect",
        occasion="approval",
        outcome=None,
        title="Market report",
        step="Write the mail to the board",
        instructions="Please check **three** things before it goes out:\n\n1. the numbers of the second quarter\n"
                     "2. the tone\n3. that nobody is named",
        answers=(),
        model=None,
        duration_ms=None,
        cost_usd=None,
    ),
    "failed": content(
        title="Transcribe the hearing of 12 November",
        outcome="failed",
        answers=(Answer(text="The chair opens the hearing at 9:04 and", outcome="failed"),),
        error=Problem(code="context_length", message="The question is longer than this model can read."),
        duration_ms=12 * MINUTE_MS,
    ),
    "injected": content(title=EVIL_TITLE, answers=(Answer(text=EVIL_TEXT),)),
}  # fmt: skip

"""docs/webhooks.md shows what is really sent, and when."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.message import Problem
from kit.notifier_settings import NotifierSettings
from services.notifier.content import Answer, Content, StepLine
from services.notifier.hooks.payload import payload

PAGE = (Path(__file__).parents[4] / "docs" / "webhooks.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
CHAT = Content(
    run_id="chat_01kb2a8x5m7n9p1q3r5s7t9v1w",
    kind="chat",
    occasion="ended",
    outcome="completed",
    title="Rivers",
    answers=(Answer(text="A river is …"),),
    model="demo-sage",
    duration_ms=84_250,
    cost_usd="0.0124",
    conversation_id="conv_01kb2a8x4h6j8k0m2n4p6q8r0s",
    happened_at=AT,
)
ASSISTANT: dict[str, Any] = {
    "run_id": "arc_01kb2a8x5m7n9p1q3r5s7t9v1w",
    "kind": "architect",
    "title": "A text and its title",
    "happened_at": AT,
}
FAILED = Content(
    **ASSISTANT,
    occasion="ended",
    outcome="failed",
    error=Problem(code="step_failed", message="The step 'Title' failed."),
    steps=(
        StepLine(title="Draft", status="completed", model="demo-sage", duration_ms=64_000, cost_usd="0.0310"),
        StepLine(
            title="Title",
            status="failed",
            model="demo-flaky",
            error=Problem(code="provider_unavailable", message="The model did not answer."),
        ),
    ),
    duration_ms=401_000,
    cost_usd="0.0310",
    assistant_id="asst_01kb2a8x4h6j8k0m2n4p6q8r0s",
)
WAITING = Content(**ASSISTANT, occasion="approval", step="Publish", instructions="Is it kind?")


@pytest.mark.parametrize(("number", "content"), list(enumerate((CHAT, FAILED, WAITING))))
def test_the_examples_are_what_is_sent(number: int, content: Content) -> None:
    link = f"https://studio.example.com/v1/runs/{content.run_id}"
    sent = json.loads(payload(content, link=link, at=AT, max_characters=100))
    assert EXAMPLES[number] == sent
    assert len(EXAMPLES) == 3


def test_the_waits_are_those_of_the_settings() -> None:
    waits = [_said(seconds) for seconds in NotifierSettings.model_fields["hook_retry_seconds"].default]
    said = f"after {', '.join(waits[:-1])} and {waits[-1]} "
    assert said in " ".join(PAGE.split())


def _said(seconds: float) -> str:
    for unit, size in (("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"

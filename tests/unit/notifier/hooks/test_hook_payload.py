"""The body of a webhook's call."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from contracts.message import Problem
from services.notifier.content import Answer, Content, StepLine
from services.notifier.hooks.payload import payload

AT = datetime(2026, 11, 27, 12, 0, 0, 250_000, tzinfo=UTC)
LINK = "https://studio.example/v1/runs/chat_1"


def content(**more: Any) -> Content:
    values = {"run_id": "chat_1", "kind": "chat", "occasion": "ended", "outcome": "completed", "happened_at": AT}
    return Content.model_validate({**values, **more})


def told(of: Content, max_characters: int = 100) -> Any:
    return json.loads(payload(of, link=LINK, at=AT, max_characters=max_characters))


def test_an_answer_of_a_chat() -> None:
    of = content(title="Rivers", model="m-1", duration_ms=61_000, cost_usd="0.0012", answers=(Answer(text="Ä river."),))
    assert told(of) == {
        "type": "run.completed",
        "timestamp": "2026-11-27T12:00:00.250000Z",
        "data": {
            "run_id": "chat_1",
            "kind": "chat",
            "title": "Rivers",
            "outcome": "completed",
            "model": "m-1",
            "duration_ms": 61_000,
            "cost_usd": "0.0012",
            "answers": [{"text": "Ä river.", "label": "", "outcome": "completed"}],
            "url": LINK,
        },
    }


def test_a_failure_tells_why() -> None:
    of = content(outcome="failed", error=Problem(code="no_model", message="There is none."))
    assert told(of)["type"] == "run.failed"
    assert told(of)["data"]["error"] == {"code": "no_model", "message": "There is none."}


def test_a_cancelled_run() -> None:
    assert told(content(outcome="cancelled"))["type"] == "run.cancelled"


def test_a_step_that_waits_for_approval() -> None:
    of = content(
        run_id="arc_1", kind="architect", occasion="approval", outcome=None, step="review", instructions="Look at it."
    )
    assert told(of)["type"] == "approval.requested"
    assert {"step": "review", "instructions": "Look at it."}.items() <= told(of)["data"].items()
    assert "outcome" not in told(of)["data"]


def test_the_steps_of_an_assistant() -> None:
    steps = (
        StepLine(title="write", status="completed", model="m-1", duration_ms=5),
        StepLine(title="x", status="skipped"),
    )
    of = content(run_id="arc_1", kind="architect", steps=steps)
    assert told(of)["data"]["steps"] == [
        {"title": "write", "status": "completed", "model": "m-1", "duration_ms": 5},
        {"title": "x", "status": "skipped"},
    ]


def test_a_blind_comparison_names_no_model() -> None:
    answers = (Answer(text="one", label="A"), Answer(text="two", label="B"))
    of = content(run_id="cmp_1_blind", kind="compare", answers=answers)
    assert b"model" not in payload(of, link=LINK, at=AT, max_characters=100)


def test_each_long_text_is_cut_and_says_so() -> None:
    of = content(answers=(Answer(text="😀" * 11), Answer(text="x" * 10)), instructions="y" * 11)
    first, second = told(of, 10)["data"]["answers"]
    assert (first["text"], first["cut"]) == ("😀" * 10, True)
    assert second["text"] == "x" * 10
    assert "cut" not in second
    assert told(of, 10)["data"]["instructions"] == "y" * 10


def test_the_same_values_are_the_same_bytes() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=2)))
    one = payload(content(answers=(Answer(text="a"),)), link=LINK, at=AT, max_characters=5)
    assert one == payload(content(answers=(Answer(text="a"),)), link=LINK, at=elsewhere, max_characters=5)

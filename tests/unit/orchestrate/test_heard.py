"""What a lane says, added up."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from contracts import events
from contracts.costs import Prices
from kit.orchestrate import heard as lane

PRICES = Prices(input=Decimal(1), output=Decimal(2))
CREATED = datetime(2026, 11, 23, 12, 0, 0, 123_000, tzinfo=UTC)
AT = 1_795_435_200_123


def told(*said: events.Event | None) -> lane.Heard:
    return lane.hear(enumerate(said, start=1))


def delta(text: str, at: int = 0) -> events.GenerationDelta:
    return events.GenerationDelta(lane="main", at=at, text=text)


def thought(text: str, at: int = 0) -> events.GenerationReasoning:
    return events.GenerationReasoning(lane="main", at=at, text=text)


def started(attempt: int, model: str = "m", at: int = 0) -> events.GenerationStarted:
    return events.GenerationStarted(lane="main", at=at, attempt=attempt, model=model, provider=f"p of {model}")


def call(name: str) -> events.GenerationToolCall:
    return events.GenerationToolCall(lane="main", at=0, call_id=name, name=name, arguments="{}")


def restarted(attempt: int) -> events.GenerationRestarted:
    return events.GenerationRestarted(lane="main", at=0, attempt=attempt)


QUIET: tuple[Any, ...] = (
    None,
    events.Notice(lane="main", at=0, code="retrying", message="Wait."),
    events.GenerationAttached(lane="main", at=0, attempt=1, reference="r"),
    events.GenerationResumed(lane="main", at=0, attempt=3, mode="prefill"),
    events.GenerationSnapshot(lane="main", at=0, attempt=1, model="x", provider="x", covers=1, text="not this"),
)


def test_the_text_of_a_lane_is_what_a_client_shows() -> None:
    said = [delta("no"), thought("no"), call("no"), restarted(2), thought("why"), delta("a"), call("f"), delta("b")]
    heard = told(*said, delta("c"))
    assert (heard.text, heard.reasoning) == ("abc", "why")
    assert heard.tool_calls == (events.ToolCall("f", "f", "{}"),)
    assert heard.dropped == "nono", "it was paid for"
    assert told() == lane.Heard()


@pytest.mark.parametrize("event", QUIET, ids=lambda event: type(event).__name__)
def test_what_says_nothing_of_the_answer_changes_nothing(event: events.Event | None) -> None:
    assert told(event, started(1), event, delta("a"), event) == told(started(1), delta("a"))


def test_a_fallback_of_the_same_attempt_is_one_call_and_the_last_to_answer_counts() -> None:
    heard = told(started(1, "first"), started(1, "second"), delta("a"), started(2, "second"))
    assert heard.attempts == {1, 2}
    assert (heard.model, heard.provider) == ("second", "p of second")


def test_nobody_who_was_never_asked_is_paid() -> None:
    for prices in (PRICES, None):
        assert lane.bill(told(), ["a long question"], prices) == {
            "usage": events.Usage(estimated=True),
            "cost_usd": "0",
        }


def test_every_attempt_is_charged_for_the_question_and_for_what_it_said() -> None:
    heard = told(started(1), delta("12345678"), started(2), restarted(2), thought("1234"), delta("1234"))
    billed = lane.bill(heard, ["1234", "12345678"], PRICES)
    assert billed["usage"] == events.Usage(input_tokens=6, output_tokens=4, reasoning_tokens=1, estimated=True)
    assert billed["cost_usd"] == "0.000014"


def test_a_cost_without_a_price_is_unknown() -> None:
    billed = lane.bill(told(started(1), delta("1234")), ["1234"], None)
    assert billed["cost_usd"] is None
    assert billed["usage"].output_tokens == 1


def test_the_times_are_counted_from_the_request() -> None:
    heard = told(started(1, at=AT + 5), thought("x", AT + 20), delta("x", AT + 30), started(2, at=AT + 40))
    assert lane.timings(heard, CREATED, AT + 50) == events.Timings(queued_ms=5, first_token_ms=20, total_ms=50)
    assert lane.timings(told(), CREATED, AT + 50) == events.Timings(queued_ms=50, first_token_ms=None, total_ms=50)


def test_clocks_that_disagree_make_no_negative_times() -> None:
    heard = told(started(1, at=AT - 5), delta("x", AT - 1))
    assert lane.timings(heard, CREATED, AT - 7) == events.Timings(queued_ms=0, first_token_ms=0, total_ms=0)

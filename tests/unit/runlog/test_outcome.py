"""How a generation has ended, and the fact that says so."""

import pytest

from contracts import events
from contracts.message import Owner
from kit.runlog.lane import RunKey
from kit.runlog.outcome import ended_fact

COMMON = {"lane": "main", "at": 0, "attempt": 2, "model": "m", "text": "some words"}
ENDINGS = (
    events.GenerationCompleted(**COMMON, provider="p", finish_reason="stop"),
    events.GenerationFailed(**COMMON, error=events.Error("code", "why")),
    events.GenerationCancelled(**COMMON),
)


@pytest.mark.parametrize("ending", ENDINGS, ids=events.type_of)
def test_the_fact_of_an_ending_is_the_same_whoever_tells_it(ending: events.GenerationEnding) -> None:
    fact = ended_fact(RunKey("t", "u", "chat_x"), ending, 7)
    assert fact == ended_fact(RunKey("t", "u", "chat_x"), ending, 7)
    assert fact.owner == Owner(tenant="t", user="u")
    assert fact.subject() == f"evt.inference.{events.type_of(ending)}"
    assert fact.message_id() == "ended.chat_x.main"
    assert (fact.sequence, fact.outcome) == (7, events.type_of(ending).partition(".")[2])
    assert (fact.finish_reason, fact.error_code) == (
        getattr(ending, "finish_reason", None),
        "code" if isinstance(ending, events.GenerationFailed) else None,
    )
    assert "text" not in fact.model_dump()

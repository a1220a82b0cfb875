"""How long a start took, from what the engine says about a container."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def compose_starts(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, imported as compose_check.py imports it: from its own folder."""
    monkeypatch.setattr(sys, "path", [str(HERE), *sys.path])
    return importlib.import_module("compose_starts")


def look(code: int, began: str, ended: str) -> dict[str, Any]:
    return {"ExitCode": code, "Start": f"2026-11-27T10:00:{began}Z", "End": f"2026-11-27T10:00:{ended}.123456789Z"}


def test_the_first_check_that_this_start_has_passed_counts(compose_starts: Any) -> None:
    looks = [look(0, "05", "06"), look(1, "14", "15"), look(0, "18", "20"), look(0, "50", "51")]
    state = {"StartedAt": "2026-11-27T10:00:10.123456789Z", "Health": {"Log": looks}}
    lines = [
        "2026-11-27T10:00:11.000Z INFO chat x: hello",
        "2026-11-27T10:00:13.123Z INFO chat y: chat is ready (pid 1)",
    ]
    start = compose_starts.measured("chat", compose_starts.ALONE, state, lines)
    assert (round(start.ready, 1), round(start.healthy, 1)) == (3.0, 10.0)


def test_who_does_one_thing_is_measured_to_its_end_and_must_have_done_it(compose_starts: Any) -> None:
    state = {"StartedAt": "2026-11-27T10:00:10Z", "FinishedAt": "2026-11-27T10:00:12.5Z", "ExitCode": 0}
    assert compose_starts.measured("migrate", compose_starts.AT_ONCE, state, []).healthy == 2.5
    with pytest.raises(AssertionError, match="migrate ended with exit code 1"):
        compose_starts.measured("migrate", compose_starts.AT_ONCE, {**state, "ExitCode": 1}, [])


def test_a_slow_start_fails_and_an_edge_that_waits_for_chat_does_not(
    compose_starts: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    edge = compose_starts.Start("edge", compose_starts.AT_ONCE, 11.0, 31.0)
    compose_starts.check_starts([edge])
    assert "31.0" in capsys.readouterr().out
    for slow in (
        compose_starts.Start("edge", compose_starts.AT_ONCE, 30.5, 31.0),
        compose_starts.Start("edge", compose_starts.ALONE, 11.0, 31.0),
    ):
        with pytest.raises(AssertionError, match="not started within 30 s"):
            compose_starts.check_starts([edge, slow])

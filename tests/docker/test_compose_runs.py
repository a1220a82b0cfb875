"""Whoever watches a counting run through stops sees what is lost, doubled or not as it is stored."""

import importlib
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
COUNT = ["You said x.\n\n", "1 ", "2 ", "3\n\n", "That was all."]


@pytest.fixture
def compose_runs(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, imported as compose_check.py imports it: from its own folder."""
    monkeypatch.setattr(sys, "path", [str(HERE), *sys.path])
    return importlib.import_module("compose_runs")


def told(words: list[str], stored: str | None = None, ending: str = "run.completed") -> list[tuple[str, Any]]:
    whole = "".join(words) if stored is None else stored
    seen = [
        {"type": "run.created", "lane": "run"},
        {"type": "generation.started", "lane": "main", "model": "demo-marathon"},
        *({"type": "generation.delta", "lane": "main", "text": word} for word in words),
        {"type": "generation.completed", "lane": "main", "text": whole},
        {"type": ending, "lane": "run"},
    ]
    return [(f"e-{number}", data) for number, data in enumerate(seen)]


def watched(compose_runs: Any, monkeypatch: pytest.MonkeyPatch, events: list[tuple[str, Any]]) -> None:
    def asked(*_: Any) -> Iterator[tuple[str, Any]]:
        return iter(events)

    monkeypatch.setattr(compose_runs, "events", asked)
    run = compose_runs.CountingRun("chat", "/v1", {}, 3)
    with ThreadPoolExecutor(1) as pool:
        run.begin(pool)
        run.finish()


def test_an_exact_count_is_one(compose_runs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    watched(compose_runs, monkeypatch, told(COUNT))


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        (told([*COUNT[:2], *COUNT[3:]]), "chat: 1 3"),
        (told([*COUNT[:2], *COUNT[1:]]), "chat: 1 1 2 3"),
        (told(COUNT, stored="1 2"), "was not seen as it is stored"),
        (told(COUNT, ending="run.failed"), "chat: run.failed"),
        (told(COUNT)[:-1], "chat: generation.completed"),
        ([*told(COUNT)[:3], *told(COUNT)[2:]], "the cursor e-2 came twice"),
        ([("", data) for _, data in told(COUNT)], "an event without a cursor"),
        ([("e", {"type": "reset", "lane": "run"})], "chat: {'type': 'reset'"),
    ],
    ids=["lost", "doubled", "not as stored", "failed", "without an ending", "told twice", "without a cursor", "reset"],
)
def test_anything_else_is_not(
    compose_runs: Any, monkeypatch: pytest.MonkeyPatch, events: list[tuple[str, Any]], problem: str
) -> None:
    with pytest.raises(AssertionError, match=problem):
        watched(compose_runs, monkeypatch, events)

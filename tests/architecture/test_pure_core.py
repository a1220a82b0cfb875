"""Decisions are pure: values in, values out. They do not wait, look at a clock, make ids or reach outside."""

import ast
import sys

import pytest

from tests.architecture.source import Source, product, under

NAMES = {"answers.py", "checks.py", "core.py", "course.py", "forks.py", "pickup.py", "tries.py"}
PURE_OF_ARCHITECT = tuple(
    f"services.architect.{name}"
    for name in (
        *("conditions", "definition", "dry_run", "expression", "field_checks", "functions", "given", "graph", "inputs"),
        *("names", "problems", "rendering", "step_checks", "values", "variables"),
    )
)
"""What an assistant is, and what its steps ask."""
PURE_LIBRARY = {
    "ast",
    "collections",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "itertools",
    "json",
    "math",
    "re",
    "typing",
}
PURE_OF_KIT = (
    "kit.orchestrate.heard",
    "kit.orchestrate.moments",
    "kit.orchestrate.window",
    "kit.orchestrate.wording",
    "kit.runlog.outcome",
)
"""What all orchestrators decide alike."""
PURE_OURS = ("contracts", "kit.refusal", "kit.runlog.lane", "kit.settings", *PURE_OF_KIT, *PURE_OF_ARCHITECT)
PURE_OTHERS = ("pydantic", "simpleeval")
OWN = ("models", "cards", "core", "course")
"""Modules of its own service that a decision may use: they hold values only."""
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter", "time_ns"}
WAITS = (ast.Await, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith)

CORES = [
    source
    for source in product()
    if (source.path.name in NAMES and under(source.module, "services"))
    or source.module in (*PURE_OF_KIT, *PURE_OF_ARCHITECT)
]


def test_there_are_decisions() -> None:
    assert {source.module for source in CORES} >= {
        *("services.chat.core", "services.inference.core"),
        *(*PURE_OF_KIT, *PURE_OF_ARCHITECT),
    }


@pytest.mark.parametrize("core", CORES, ids=lambda source: source.name)
def test_a_decision_never_waits(core: Source) -> None:
    assert not [node.lineno for node in ast.walk(core.tree()) if isinstance(node, WAITS)]


@pytest.mark.parametrize("core", CORES, ids=lambda source: source.name)
def test_a_decision_imports_nothing_that_reaches_outside(core: Source) -> None:
    service = core.module.rpartition(".")[0]
    allowed = (*PURE_OURS, *PURE_OTHERS, *(f"{service}.{own}" for own in OWN))
    for name in core.imports():
        pure = name.partition(".")[0] in PURE_LIBRARY & sys.stdlib_module_names
        assert pure or under(name, *allowed), f"{core.name} imports {name}"


@pytest.mark.parametrize("core", CORES, ids=lambda source: source.name)
def test_a_decision_looks_at_no_clock(core: Source) -> None:
    called = [node.func for node in ast.walk(core.tree()) if isinstance(node, ast.Call)]
    assert not [f.lineno for f in called if isinstance(f, ast.Attribute) and f.attr in CLOCKS]
    assert not [f.lineno for f in called if isinstance(f, ast.Name) and f.id in {"open", "print", "input"}]

"""The workflow files do nothing of their own: every command is a target of the Taskfile or a script that is here."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.source import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))
TARGETS: dict[str, Any] = yaml.safe_load((ROOT / "Taskfile.yml").read_text())["tasks"]
ACTION_OF_OTHERS = re.compile(r"[\w.-]+/[\w./-]+@v\d+")
ONLY_WHERE = re.compile(r"hashFiles\('([^']+)'\) != ''")


def read(path: Path) -> dict[str, Any]:
    """A file as YAML. Its reader takes the key `on` for true."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def steps(path: Path) -> Iterator[dict[str, Any]]:
    content = read(path)
    for job in content.get("jobs", {}).values():
        yield from job["steps"]
    yield from content.get("runs", {}).get("steps", ())


def problem_of(run: str) -> str | None:
    """What is wrong with a command; none when it is a target or a script of ours."""
    if "\n" in run.strip() or re.search(r"[|&;<>$`]", run):
        return "it is more than one command"
    program, *words = shlex.split(run)
    if program == ".venv/bin/task":
        missing = [name for name in words[: words.index("--") if "--" in words else None] if name not in TARGETS]
        return f"there is no target {missing[0]}" if missing else None
    if program in ("bash", "python3"):
        return None if words and (ROOT / words[0]).is_file() else f"there is no script {words[:1]}"
    return f"{program} is none of ours"


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: path.relative_to(GITHUB).as_posix())
def test_every_step_is_a_target_or_a_script_or_a_pinned_action(path: Path) -> None:
    found = list(steps(path))
    assert found
    for step in found:
        assert ("run" in step) != ("uses" in step), step
        if "uses" in step and step["uses"].startswith("./"):
            assert (ROOT / step["uses"] / "action.yml").is_file(), step
        elif "uses" in step:
            assert ACTION_OF_OTHERS.fullmatch(step["uses"]), f"{step['uses']} is not pinned to a major version"
        else:
            only_where = ONLY_WHERE.fullmatch(step.get("if", ""))
            if only_where is None or (ROOT / only_where[1]).exists():
                assert problem_of(step["run"]) is None, step


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_and_ends_in_time(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is True
    for job in workflow["jobs"].values():
        assert 0 < job["timeout-minutes"] <= 60
        checkout = job["steps"][0]
        assert checkout["uses"].startswith("actions/checkout@")
        assert checkout["with"]["persist-credentials"] is False


def test_everything_that_a_clone_should_check_is_checked() -> None:
    run = {step["run"].split(" -- ")[0] for path in WORKFLOWS for step in steps(path) if "run" in step}
    wanted = ("lint", "types", "imports", "test", "compose:test", "compat:rolling", "infra:synth")
    wanted += ("image:build", "image:size", "image:wheels")
    assert run >= {f".venv/bin/task {name}" for name in wanted}


@pytest.mark.parametrize(
    ("run", "problem"),
    [
        (".venv/bin/task nothing", "there is no target nothing"),
        ("python3 nowhere.py", "there is no script"),
        ("npm test", "npm is none of ours"),
        (".venv/bin/task lint && rm -rf x", "more than one command"),
        (".venv/bin/task lint\nrm -rf x", "more than one command"),
    ],
)
def test_what_is_none_of_ours_is_seen(run: str, problem: str) -> None:
    assert problem in (problem_of(run) or "")

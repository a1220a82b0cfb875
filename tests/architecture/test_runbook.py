"""The runbook names commands, targets, files and settings that there are."""

import re

import pytest
import typer.main
import yaml

from services.__main__ import app
from tests.architecture.source import ROOT

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")


def known_commands() -> set[str]:
    """`migrate`, `dead list`, …"""
    found = set()
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        found |= {name, *(f"{name} {below}" for below in getattr(command, "commands", {}))}
    return found


@pytest.mark.parametrize(
    "words", sorted(set(re.findall(r"(?:python3 studio|`studio|-m services) (\w+(?: \w+)?)", RUNBOOK)))
)
def test_its_commands_are_ours(words: str) -> None:
    assert words in known_commands() or words.split()[0] in known_commands() - {"dead"} | {"up"}


def test_its_targets_files_and_settings_are_there() -> None:
    targets = yaml.safe_load((ROOT / "Taskfile.yml").read_text())["tasks"]
    assert set(re.findall(r"`task ([\w:]+)", RUNBOOK)) <= targets.keys()
    for path in re.findall(r"`(tests/[\w/.]+)`|\]\((\w+\.md)\)", RUNBOOK):
        assert (ROOT / path[0]).is_file() if path[0] else (ROOT / "docs" / path[1]).is_file(), path
    settings = (ROOT / "docs" / "settings.md").read_text() + (ROOT / "compose.yaml").read_text()
    assert [name for name in re.findall(r"STUDIO_\w+", RUNBOOK) if name not in settings] == []


def test_its_links_into_itself_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
        for line in re.findall(r"^#+ (.*)", RUNBOOK, re.M)
    }
    assert set(re.findall(r"\]\(#([\w-]+)\)", RUNBOOK)) <= headings

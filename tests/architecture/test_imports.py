"""Who may import whom: import-linter holds the rules of pyproject.toml; this holds those rules to the roster."""

import subprocess
import sys
import tomllib
from typing import Any

from services.roster import ROSTER
from tests.architecture.source import ROOT, product, under

RULES: dict[str, dict[str, Any]] = {
    rule["name"]: rule
    for rule in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
}
ALL = {f"services.{spec.name}" for spec in ROSTER}


def test_the_import_rules_hold() -> None:
    # A process of its own: import-linter configures logging, and that silences the loggers of everybody else.
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as go; go()", "--no-cache"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_the_import_rules_know_every_service() -> None:
    assert set(RULES["Services never import each other"]["modules"]) == ALL
    assert set(RULES["The roster and the commands know services by name only"]["forbidden_modules"]) == ALL
    assert set(RULES["Only the edge knows HTTP frameworks"]["source_modules"]) >= ALL - {"services.edge"}
    without_data = {f"services.{spec.name}" for spec in ROSTER if spec.schema is None}
    assert set(RULES["The edge and inference know no database"]["source_modules"]) == without_data


def test_contracts_are_made_of_pydantic_and_msgspec_alone() -> None:
    allowed = {*sys.stdlib_module_names, "contracts", "pydantic", "msgspec"}
    imported = {
        (source.name, name) for source in product() if under(source.module, "contracts") for name in source.imports()
    }
    assert imported
    assert not {(file, name) for file, name in imported if name.partition(".")[0] not in allowed}


def test_kit_knows_no_service_by_name() -> None:
    names = {spec.name for spec in ROSTER}
    for source in product():
        if under(source.module, "kit"):
            assert not {name for name in source.imports() if under(name, *(f"contracts.{name}" for name in names))}, (
                f"{source.name} uses the words of one service"
            )

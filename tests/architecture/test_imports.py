"""Who may import whom: import-linter holds the rules of pyproject.toml, this those that follow from the roster."""

import subprocess
import sys
from typing import Any

import grimp
import pytest

from services.roster import ROSTER
from tests.architecture.source import ROOT, product, under

DATABASE = ("alembic", "asyncpg", "kit.db", "sqlalchemy", "sqlmodel")
DEAR = {"aiohttp", "cryptography", "fastapi", "faststream", "httpx", "nats", "rich", "sqlalchemy", "studio_client"}


def test_the_import_rules_hold() -> None:
    # A process of its own: import-linter configures logging, and that silences the loggers of everybody else.
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as go; go()", "--no-cache"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("contracts", "kit", "services", include_external_packages=True, cache_dir=None)


@pytest.mark.parametrize("spec", ROSTER, ids=lambda spec: spec.name)
def test_who_owns_no_tables_knows_no_database_and_who_owns_some_does(imports: grimp.ImportGraph, spec: Any) -> None:
    chains = [
        chain
        for module in DATABASE
        for chain in imports.find_shortest_chains(f"services.{spec.name}", module, as_packages=True)
    ]
    shown = [" -> ".join(chain) for chain in sorted(chains)]
    assert bool(chains) == (spec.schema is not None), shown or f"services/roster.py says that {spec.name} has tables"


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


def test_a_command_does_not_pay_for_what_another_one_needs() -> None:
    """Every service is started by a command, and every container is asked by one for its health, again and again."""
    code = f"import sys, services.__main__; print(*{DEAR} & sys.modules.keys())"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert told.stdout.split() == []

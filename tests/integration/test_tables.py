"""What the code of a service takes its tables for is what its migrations make, on a database that all share."""

import asyncio
import sys
from collections.abc import Iterator
from importlib import import_module

import asyncpg
import pytest
from sqlmodel import SQLModel

from services.roster import ROSTER
from tests.fixtures.stack import Stack

SCHEMAS = [spec.name for spec in ROSTER if spec.schema is not None]


def models(kind: type[SQLModel] = SQLModel) -> Iterator[type[SQLModel]]:
    """Every model with a table that was imported."""
    for sub in kind.__subclasses__():
        if hasattr(sub, "__table__"):
            yield sub
        yield from models(sub)


@pytest.mark.parametrize("service", SCHEMAS)
async def test_every_column_of_the_models_is_there(stack: Stack, service: str) -> None:
    import_module(f"services.{service}.service")
    wanted = {
        (model.__table__.name, column.name)
        for model in models()
        if model.__table__.schema == service
        for column in model.__table__.columns
    }
    assert wanted
    connection = await asyncpg.connect(stack.servers.database_url)
    try:
        rows = await connection.fetch(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = $1", service
        )
    finally:
        await connection.close()
    assert wanted - {tuple(row) for row in rows} == set(), f"services/{service}/migrations do not make it"


async def test_a_migration_that_may_not_sign_in_as_a_service_says_so(stack: Stack) -> None:
    environment = {**stack.environment, "STUDIO_DATABASE_SERVICE_PASSWORD": ""}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services", "migrate"), env=environment, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert said.decode().startswith("error: the database refuses a service: ")
    assert "STUDIO_DATABASE_SERVICE_PASSWORD" in said.decode()
    assert "Traceback" not in said.decode()

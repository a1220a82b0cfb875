"""A schema for an orchestrator that is none of ours, in a database of its own."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from kit.db.database import Database
from kit.db.migrate import Schema, migrate_all
from kit.db.statement import Statement
from kit.settings import DatabaseSettings
from tests.fixtures.own_servers import own_database
from tests.fixtures.servers import Servers
from tests.integration.orchestrate.orchestra import SCHEMA, Orchestra, orchestra_on

TABLES = (
    f"CREATE TABLE {SCHEMA}.duty (name text PRIMARY KEY, holder text, until timestamptz)",
    f"""CREATE TABLE {SCHEMA}.log_purge (run_id text PRIMARY KEY, tenant text, "user" text, long_question boolean,
        asked_at timestamptz, due_at timestamptz DEFAULT now(), purged boolean DEFAULT false)""",
    f"""CREATE TABLE {SCHEMA}.run (id text PRIMARY KEY, tenant text, "user" text, ended_at timestamptz,
        dispatched_at timestamptz, told_at timestamptz, purged_at timestamptz)""",
)
"""What kit/orchestrate says that it expects."""


@pytest.fixture(scope="package")
async def database(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    """The orchestrator's tables."""
    migrations = tmp_path_factory.mktemp("migrations")
    (migrations / "versions").mkdir()
    async with own_database(servers, servers.nats_url) as own:
        settings = DatabaseSettings(url=SecretStr(own.database_url), service_password=SecretStr("service-password"))
        await migrate_all(settings, [Schema(SCHEMA, migrations)])
        found = Database(settings, SCHEMA)
        await found.connect()
        for table in TABLES:
            await found.fetch(Statement(table), {})
        yield found
        await found.close()


@pytest.fixture
async def orchestra(servers: Servers, database: Database) -> AsyncIterator[Orchestra]:
    """An orchestrator without runs."""
    await database.fetch(Statement(f"TRUNCATE {SCHEMA}.run, {SCHEMA}.log_purge"), {})
    async with orchestra_on(servers, database) as found:
        yield found

"""A rollback: the release before meets a database that a newer one has left."""

import logging
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from kit.db.migrate import Schema, migrate_all
from kit.settings import DatabaseSettings
from services import roster
from tests.fixtures.ground import SERVICE_PASSWORD
from tests.fixtures.own_servers import own_database
from tests.fixtures.servers import Servers

NOW: Path = dict(roster.migrations())["compare"]


@pytest.fixture
async def settings(servers: Servers) -> AsyncIterator[DatabaseSettings]:
    """An empty database."""
    async with own_database(servers, servers.nats_url) as own:
        yield DatabaseSettings(url=SecretStr(own.database_url), service_password=SecretStr(SERVICE_PASSWORD))


def before(folder: Path, head: str) -> Schema:
    """Compare as it was up to a revision."""
    later = [f"{path.name}" for path in (NOW / "versions").glob("0*.py") if path.name[:4] > head]
    return Schema("compare", shutil.copytree(NOW, folder / head, ignore=shutil.ignore_patterns(*later, "__pycache__")))


async def revision(settings: DatabaseSettings) -> str:
    connection = await asyncpg.connect(settings.url.get_secret_value())
    try:
        return str(await connection.fetchval("SELECT version_num FROM compare.alembic_version"))
    finally:
        await connection.close()


async def test_the_release_before_leaves_a_newer_database_as_it_is(
    settings: DatabaseSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await migrate_all(settings, [before(tmp_path, "0002")])
    await migrate_all(settings, [Schema("compare", NOW)])
    newest = await revision(settings)
    assert newest > "0002"
    with caplog.at_level(logging.WARNING):
        await migrate_all(settings, [before(tmp_path / "again", "0002")])
    assert f"compare: the database is at {newest}, this version knows 0002; nothing to do" in caplog.messages
    assert await revision(settings) == newest
    await migrate_all(settings, [Schema("compare", NOW)])
    assert await revision(settings) == newest


async def test_a_revision_that_is_not_newer_and_not_known_is_refused(settings: DatabaseSettings) -> None:
    await migrate_all(settings, [Schema("compare", NOW)])
    connection = await asyncpg.connect(settings.url.get_secret_value())
    await connection.execute("UPDATE compare.alembic_version SET version_num = '0000'")
    await connection.close()
    with pytest.raises(Exception, match="Can't locate revision identified by '0000'"):
        await migrate_all(settings, [Schema("compare", NOW)])

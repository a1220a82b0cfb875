"""Migrations beside a service that is used, and after a rollback."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from kit.db import migrate
from kit.db.migrate import Schema, migrate_all
from kit.settings import DatabaseSettings
from services import roster
from tests.fixtures.ground import SERVICE_PASSWORD
from tests.fixtures.own_servers import own_database
from tests.fixtures.polling import until
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


async def test_a_migration_that_waits_for_a_table_holds_nobody_up(
    settings: DatabaseSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A backup reads the table; the migration wants it alone; a service reads it as ever."""
    monkeypatch.setattr(migrate, "TABLE_WAIT_SECONDS", 0.3)
    monkeypatch.setattr(migrate, "TABLE_PAUSE_SECONDS", 0.1)
    await migrate_all(settings, [before(tmp_path, "0002")])
    backup, service = [await asyncpg.connect(settings.url.get_secret_value()) for _ in range(2)]
    reading = backup.transaction()
    await reading.start()
    await backup.execute("LOCK TABLE compare.run IN ACCESS SHARE MODE")
    migrating = asyncio.create_task(migrate_all(settings, [Schema("compare", NOW)]))

    async def waiting() -> bool:
        return any("a table is in use" in message for message in caplog.messages)

    await until(waiting)
    for _ in range(10):  # each of them in some phase of a try
        assert await service.fetchval("SELECT count(*) FROM compare.run", timeout=5) == 0
        await asyncio.sleep(0.05)
    assert not migrating.done()
    await reading.rollback()
    await migrating
    assert await revision(settings) > "0002"
    await backup.close()
    await service.close()


async def test_a_table_that_is_never_free_is_said(
    settings: DatabaseSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("TABLE_WAIT_SECONDS", 0.05), ("TABLE_PAUSE_SECONDS", 0.05), ("TABLE_TRIES", 2)):
        monkeypatch.setattr(migrate, name, value)
    await migrate_all(settings, [before(tmp_path, "0002")])
    backup = await asyncpg.connect(settings.url.get_secret_value())
    async with backup.transaction():
        await backup.execute("LOCK TABLE compare.run IN ACCESS SHARE MODE")
        with pytest.raises(DBAPIError, match="lock timeout"):
            await migrate_all(settings, [Schema("compare", NOW)])
    await backup.close()
    assert await revision(settings) == "0002"

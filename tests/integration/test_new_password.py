"""A service whose database password is not, or is no longer, the right one, and one that has no database."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from kit.db.database import UNAVAILABLE, WARM_CONNECTIONS, Database, is_unavailable
from kit.db.statement import Statement
from kit.runtime.errors import StartError
from kit.runtime.ports import free_port
from kit.settings import DatabaseSettings
from tests.fixtures.database import database
from tests.fixtures.servers import Servers

ROLE = "studio_rotated"
SLOWLY = Statement("SELECT pg_sleep(0.2)")


@pytest.fixture
async def rotated(servers: Servers) -> AsyncIterator[Database]:
    """A service with a role of its own: that of a real one is shared with the other tests."""
    async with database(servers) as admin:
        await admin.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'before'")
        try:
            settings = DatabaseSettings(url=SecretStr(servers.database_url), service_password=SecretStr("before"))
            service = Database(settings, "rotated")
            await service.connect()
            yield service
            await service.close()
        finally:
            await admin.execute(f"DROP ROLE {ROLE}")


async def test_a_changed_password_is_a_database_that_is_away(rotated: Database, servers: Servers) -> None:
    async with database(servers) as admin:
        await admin.execute(f"ALTER ROLE {ROLE} PASSWORD 'after'")
    asked = await asyncio.gather(
        *(rotated.fetch(SLOWLY, {}) for _ in range(2 * WARM_CONNECTIONS)), return_exceptions=True
    )
    refused = [error for error in asked if isinstance(error, BaseException)]
    assert len(refused) == WARM_CONNECTIONS, "those that are open go on"
    assert all(is_unavailable(error) and isinstance(error, UNAVAILABLE) for error in refused), refused


async def test_a_service_that_is_not_let_in_says_where_and_not_with_what(rotated: Database, servers: Servers) -> None:
    settings = DatabaseSettings(url=SecretStr(servers.database_url), service_password=SecretStr("hush"))
    with pytest.raises(StartError, match=f"as {ROLE}.*password authentication failed") as caught:
        await Database(settings, "rotated").connect()
    assert "hush" not in str(caught.value)


async def test_a_service_without_a_database_says_where_it_looked() -> None:
    port = free_port()
    settings = DatabaseSettings(url=SecretStr(f"postgresql://x:hush@127.0.0.1:{port}/studio"))
    with pytest.raises(StartError, match=rf"the database \(127\.0\.0\.1:{port}, as studio_chat\) does not let us in"):
        await Database(settings, "chat").connect()


async def test_a_database_that_is_slow_to_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit.db.database.CONNECT_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr("kit.db.database.WAIT_FOR_DATABASE_SECONDS", 0.5)
    asked = 0

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        settings = DatabaseSettings(url=SecretStr(f"postgresql://x:hush@127.0.0.1:{port}/studio"))
        with pytest.raises(StartError, match="does not let us in: TimeoutError"):
            await Database(settings, "chat").connect()
    assert asked > 1

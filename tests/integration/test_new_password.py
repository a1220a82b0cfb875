"""A service whose database password was changed under it says "not now" until it is started again."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from kit.db.database import UNAVAILABLE, WARM_CONNECTIONS, Database, is_unavailable
from kit.db.statement import Statement
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

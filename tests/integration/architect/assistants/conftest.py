"""A world of assistants and files, shared by the tests here; nothing in it runs them."""

from collections.abc import AsyncIterator

import pytest

from tests.fixtures.ground import migrate
from tests.fixtures.own_servers import own_servers
from tests.fixtures.servers import Servers
from tests.integration.architect.assistants.world import World, world_on


@pytest.fixture(scope="package")
async def assistants_servers(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """NATS and a database for assistants alone."""
    async with own_servers(servers, tmp_path_factory.mktemp("assistants")) as own:
        await migrate(own, "architect")
        yield own


@pytest.fixture
async def world(assistants_servers: Servers) -> AsyncIterator[World]:
    """One replica, which does not sweep."""
    async with world_on(assistants_servers) as found:
        await found.replica()
        yield found

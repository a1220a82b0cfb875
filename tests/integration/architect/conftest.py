"""A world of architect, shared by the tests here; each has replicas and runs of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.fixtures.ground import migrate
from tests.fixtures.own_servers import own_servers
from tests.fixtures.servers import Servers
from tests.integration.architect.world import World, world_on


@pytest.fixture(scope="package")
async def architect_servers(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """NATS and a database for architect alone."""
    async with own_servers(servers, tmp_path_factory.mktemp("architect")) as own:
        await migrate(own, "architect")
        yield own


@pytest.fixture
async def world(architect_servers: Servers) -> AsyncIterator[World]:
    """Architect without replicas."""
    async with world_on(architect_servers) as found:
        yield found

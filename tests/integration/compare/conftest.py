"""A world of compare, shared by the tests here; each has replicas and runs of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.fixtures.ground import migrate
from tests.fixtures.own_servers import own_servers
from tests.fixtures.servers import Servers
from tests.integration.compare.world import World, world_on


@pytest.fixture(scope="package")
async def compare_servers(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """NATS and a database for compare alone."""
    async with own_servers(servers, tmp_path_factory.mktemp("compare")) as own:
        await migrate(own, "compare")
        yield own


@pytest.fixture
async def world(compare_servers: Servers) -> AsyncIterator[World]:
    """Compare without replicas."""
    async with world_on(compare_servers) as found:
        yield found

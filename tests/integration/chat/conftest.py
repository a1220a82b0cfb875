"""A world of chat, shared by the tests here; each has replicas and runs of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.fixtures.ground import migrate
from tests.fixtures.own_servers import own_servers
from tests.fixtures.servers import Servers
from tests.integration.chat.world import World, world_on


@pytest.fixture(scope="package")
async def chat_servers(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """NATS and a database for chat alone."""
    async with own_servers(servers, tmp_path_factory.mktemp("chat")) as own:
        await migrate(own, "chat")
        yield own


@pytest.fixture
async def world(chat_servers: Servers) -> AsyncIterator[World]:
    """Chat without replicas."""
    async with world_on(chat_servers) as found:
        yield found

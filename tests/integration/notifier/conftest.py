"""A world of the notifier, shared by the tests here; each has replicas, a mail server and a table of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.fixtures.bus import asked
from tests.fixtures.ground import migrate
from tests.fixtures.mail_server import MailServer, mail_server
from tests.fixtures.own_servers import own_servers
from tests.fixtures.servers import Servers
from tests.integration.notifier.world import World, world_on


@pytest.fixture(scope="package")
async def notifier_servers(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """NATS and a database for the notifier alone."""
    async with own_servers(servers, tmp_path_factory.mktemp("notifier")) as own:
        await migrate(own, "notifier")
        yield own


@pytest.fixture
async def world(notifier_servers: Servers) -> AsyncIterator[World]:
    """The notifier without replicas; no fact of an earlier test is waiting."""
    async with world_on(notifier_servers) as found:
        await asked(found.bus.client, "STREAM.PURGE.EVENTS")
        await found.set_up()
        yield found


@pytest.fixture
def mails() -> Iterator[MailServer]:
    """A mail server that takes everything."""
    with mail_server() as server:
        yield server

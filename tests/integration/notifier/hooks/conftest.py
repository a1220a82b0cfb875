"""Receivers of webhooks, and a database with notifier's tables."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from contracts.message import Owner
from kit.db.database import Database
from kit.db.migrate import Schema, migrate_all
from kit.ids import new_id
from services import notifier
from services.notifier.hooks.handlers import WebhookHandlers
from tests.fixtures.ground import settings_for
from tests.fixtures.hook_server import HookServer, hook_server
from tests.fixtures.own_servers import own_database
from tests.fixtures.servers import Servers
from tests.integration.notifier.hooks.calling import running, settings
from tests.integration.notifier.hooks.world import World


@pytest.fixture(scope="package")
def _server() -> Iterator[HookServer]:
    with hook_server() as running:
        yield running


@pytest.fixture
def path() -> str:
    """Where this test calls, and nobody else."""
    return f"/{new_id('path')}"


@pytest.fixture
def receiver(_server: HookServer) -> Iterator[HookServer]:
    """A receiver, which answers that all is well."""
    yield _server
    _server.forget()


@pytest.fixture(scope="package")
async def notifier_servers(servers: Servers) -> AsyncIterator[Servers]:
    """A database for notifier alone."""
    async with own_database(servers, servers.nats_url) as own:
        migrations = Path(str(notifier.__file__)).parent / "migrations"
        await migrate_all(settings_for(own).database, [Schema("notifier", migrations)])
        yield own


@pytest.fixture
async def database(notifier_servers: Servers) -> AsyncIterator[Database]:
    """Notifier's connections."""
    pool = Database(settings_for(notifier_servers).database, "notifier")
    await pool.connect()
    try:
        yield pool
    finally:
        await pool.close()


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """A user of their own, who may have three webhooks."""
    async with running() as caller:
        handlers = WebhookHandlers(database, caller, settings(max_webhooks=3))
        yield World(database, handlers, Owner(tenant="t", user=new_id("user")))

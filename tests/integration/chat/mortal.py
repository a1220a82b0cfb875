"""Servers of chat, and chat as a process, that may be killed and brought to a stop."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from kit.runtime.embedded_nats import EmbeddedNats
from kit.runtime.embedded_postgres import EmbeddedPostgres
from tests.fixtures.ground import SERVICE_PASSWORD, migrate
from tests.fixtures.servers import PASSWORD, Servers
from tests.fixtures.stack import Process


class Mortal:
    """NATS and Postgres that nobody else uses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.nats = EmbeddedNats(folder / "nats")
        self.postgres = EmbeddedPostgres(folder / "postgres", PASSWORD)

    async def start(self) -> None:
        await self.nats.start()
        await self.postgres.start()
        await migrate(self.servers, "chat")

    async def stop(self) -> None:
        await self.nats.stop()
        await self.postgres.stop()

    @property
    def servers(self) -> Servers:
        return Servers(self.nats.url, self.postgres.dsn, "own")

    @contextlib.contextmanager
    def bus_stands_still(self) -> Iterator[None]:
        """Whatever is asked of it is on its way and has no answer."""
        assert self.nats._child is not None
        group = self.nats._child.pid
        os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(group, signal.SIGCONT)

    def chat(self, settings: dict[str, str]) -> Process:
        """Chat as a process of its own, not started."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("STUDIO_", "OTEL_"))},
            "STUDIO_NATS_URL": self.servers.nats_url,
            "STUDIO_DATABASE_URL": self.servers.database_url,
            "STUDIO_DATABASE_SERVICE_PASSWORD": SERVICE_PASSWORD,
            **settings,
        }
        return Process("chat", environment, self._folder / "chat.log")

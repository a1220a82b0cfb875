"""The edge: the only HTTP. It keeps nothing; any replica serves any client."""

import asyncio
import contextlib
import logging

from kit.runtime.service import Service
from kit.settings import Settings
from kit.telemetry import measures
from services.edge.app import make_app
from services.edge.gateway import Gateway
from services.edge.retiring import until_retired
from services.edge.server import listen, make_server

log = logging.getLogger(__name__)


class EdgeService:
    """The HTTP server and its connections to the bus."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._gateway = Gateway(settings)
        self._server = make_server(make_app(self._gateway))
        self._serving: asyncio.Task[None] | None = None
        self._retiring: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect and listen. Raises StartError, BusError, LogUnavailableError."""
        listener = listen(self._settings)
        gateway = self._gateway
        await asyncio.gather(gateway.bus.connect(), gateway.log_bus.connect())
        await gateway.wait_for_log()
        measures.watch_open_streams(lambda: len(gateway.streams))
        self._serving = asyncio.create_task(self._server.serve([listener]), name="uvicorn")
        if seconds := self._settings.edge.retirement_poll_seconds:
            self._retiring = asyncio.create_task(self._retire(seconds), name="retiring")

    async def stop(self) -> None:
        """Send clients elsewhere, stop listening, disconnect."""
        if self._retiring is not None:
            self._retiring.cancel()
        if self._serving is not None:
            self._server.stop_accepting()
            await self._gateway.streams.drain(self._settings.edge.drain_seconds)
            self._server.should_exit = True
            with contextlib.suppress(asyncio.CancelledError):
                await self._serving
        await self._gateway.close()

    async def _retire(self, seconds: float) -> None:
        await until_retired(seconds)
        log.info("this edge is being replaced: clients that can go on elsewhere are sent there")
        await self._gateway.streams.retire(self._settings.edge.drain_seconds)

    async def wait(self) -> None:
        """Until the server ends, which it does not by itself."""
        if self._serving is not None:
            await self._serving


def build(settings: Settings) -> Service:
    """The edge, not started. Raises MissingSecretError."""
    return EdgeService(settings)

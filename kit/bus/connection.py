"""One way to connect to NATS, with the same reconnect rules everywhere."""

import asyncio
import logging
import math
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any

from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError

from kit.bus.fastpath import FastPath
from kit.bus.sign_in import BusError as BusError
from kit.bus.sign_in import SigningClient, sign_in_options
from kit.settings import BusSettings
from kit.tasks import cancelled

log = logging.getLogger(__name__)

MINIMUM_SERVER = (2, 14)
"""Older servers lack message schedules and counters as we use them."""

WAIT_FOR_SERVER_SECONDS = 30
"""At start, before giving up; later it never gives up."""
CONNECT_TIMEOUT_SECONDS = 5
RECONNECT_WAIT_SECONDS = 0.25
SETTLING_SECONDS = 3.0
"""After a lost connection others may have lost theirs too: so long "nobody is there" may mean "not back yet"."""
PING_INTERVAL_SECONDS = 5
MAX_OUTSTANDING_PINGS = 2
PENDING_WRITE_BYTES = 16 * 1024 * 1024
"""What nats-py may hold for a server that is away."""

Callback = Callable[[], Awaitable[None]]


class _Client(SigningClient):
    """nats-py's client with a short way that is there before anything is subscribed, also after a reconnect."""

    def __init__(self) -> None:
        super().__init__()
        self.fast = FastPath(self)

    async def _process_connect_init(self) -> None:
        await super()._process_connect_init()
        await self.fast.install()


class Bus:
    """A connection, and who wants to know when it came back or lost messages."""

    def __init__(self, settings: BusSettings, name: str) -> None:
        self._settings = settings
        self._name = name
        self._opened = False
        self._refusal: Exception | None = None
        self._back_at = -math.inf
        self.client = _Client()
        self.fast = self.client.fast
        """The short way for the token path."""
        self.replicated = settings.replicas > 1
        """Whether streams have followers, which may lag."""
        self.on_disconnect: list[Callable[[], None]] = []
        self.on_reconnect: list[Callback] = []
        self.on_loss: list[Callback] = []

    @property
    def connected(self) -> bool:
        """Whether the server answers at this moment."""
        return bool(self.client.is_connected)

    @property
    def settling(self) -> bool:
        """Whether this connection is away or has come back just now: then "no responders" is no answer yet."""
        return not self.connected or time.monotonic() - self._back_at < SETTLING_SECONDS

    async def connect(self) -> None:
        """Connect, or raise BusError if no server can be reached or it is too old."""
        options = connect_options(self._settings, self._name) | sign_in_options(self._settings)
        try:
            await self._connect(options)
        except (NatsError, OSError, TimeoutError, ssl.SSLError) as error:
            await self.client.close()
            urls = ", ".join(self._settings.url)
            raise BusError(f"cannot reach NATS at {urls}: {self._why(error)}") from error
        self._opened = True
        version = self.client.connected_server_version
        if (version.major, version.minor) < MINIMUM_SERVER:
            await self.client.close()
            raise BusError(f"NATS server {version} is too old: {'.'.join(map(str, MINIMUM_SERVER))} or newer is needed")

    async def _connect(self, options: dict[str, Any]) -> None:
        """nats-py tries for ever, and may not hear that its time is over (kit/tasks.py says why): it is told again."""
        connecting = asyncio.create_task(self.client.connect(**options, **self._callbacks()))
        try:
            done, _ = await asyncio.wait({connecting}, timeout=WAIT_FOR_SERVER_SECONDS)
        finally:
            await cancelled(connecting)
        if not done:
            raise TimeoutError
        connecting.result()

    async def close(self) -> None:
        """Flush what is queued and close."""
        if self._opened and not self.client.is_closed:
            if self.client.is_connected:
                await self.client.flush(timeout=2)
            await self.client.close()

    def _why(self, error: Exception) -> str:
        reason = self._refusal or error
        if isinstance(reason, ssl.SSLError):
            return f"{reason!r}. See STUDIO_NATS_CA_FILE and STUDIO_NATS_CA."
        if _is_refusal(reason):
            return f"{reason}. See STUDIO_NATS_NKEY_FILE, STUDIO_NATS_NKEY and STUDIO_NATS_CREDENTIALS_FILE."
        return f"{reason!r}. Is it running? See STUDIO_NATS_URL."

    def _callbacks(self) -> dict[str, Any]:
        async def reconnected() -> None:
            log.info("connected to NATS again")
            self._back_at = time.monotonic()
            for callback in self.on_reconnect:
                await callback()

        async def disconnected() -> None:
            if self.client.is_closed:
                return
            log.warning("lost the connection to NATS; trying again")
            for callback in self.on_disconnect:
                callback()

        async def failed(error: Exception) -> None:
            if isinstance(error, SlowConsumerError):
                log.warning("NATS dropped messages for a slow consumer: %s", error)
                for callback in self.on_loss:
                    await callback()
            elif "permissions violation" in str(error).lower():
                log.error("NATS does not let us: %s (services/permissions.py is the list)", error)
            else:
                if not self._opened and not _is_refusal(self._refusal):  # afterwards the connection only breaks
                    self._refusal = error
                log.debug("NATS: %r", error)

        return {"reconnected_cb": reconnected, "disconnected_cb": disconnected, "error_cb": failed}


def _is_refusal(error: Exception | None) -> bool:
    return "authorization" in str(error).lower()


def connect_options(settings: BusSettings, name: str) -> dict[str, Any]:
    """The options of every connection: it never gives up, and notices a dead server within 15 s.

    Who we are is not among them: FastStream wants that in its own form.
    """
    return {
        "servers": list(settings.url),
        "name": name,
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": RECONNECT_WAIT_SECONDS,
        "ping_interval": PING_INTERVAL_SECONDS,
        "max_outstanding_pings": MAX_OUTSTANDING_PINGS,
        "pending_size": PENDING_WRITE_BYTES,
        "inbox_prefix": settings.inbox,
    }

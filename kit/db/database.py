"""A service's database: one transaction per message, begun and ended at the boundary."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.ext.asyncio.session import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from kit.db.statement import Statement
from kit.db.urls import service_url
from kit.runtime.errors import StartError
from kit.settings import DatabaseSettings

log = logging.getLogger(__name__)

T = TypeVar("T")

CONNECT_TIMEOUT_SECONDS = 5
WAIT_FOR_DATABASE_SECONDS = 20
"""At start, for one that is there and slow; less than a service has to start."""
COMMAND_TIMEOUT_SECONDS = 30
POOL_WAIT_SECONDS = 5
TRIES = 3
"""After a restart of Postgres every pooled connection is dead once; the pool is emptied at the first."""

WARM_CONNECTIONS = 2
_SERVER_SETTINGS = {"jit": "off"}
_ASKED = Statement("SELECT 1")

LOST: tuple[type[BaseException], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    ConnectionError,
)
"""A connection died; another may work."""
UNAVAILABLE: tuple[type[BaseException], ...] = (
    *LOST,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidAuthorizationSpecificationError,  # the password was changed, and we have not been started again yet
    InterfaceError,
    OperationalError,
    OSError,
    TimeoutError,
)
"""Errors that say the database is away, not that the statement is wrong."""


def is_unavailable(error: BaseException) -> bool:
    """Whether the database is away."""
    if isinstance(error, DBAPIError):  # SQLAlchemy wraps the driver's error twice, and knows few of them
        told = getattr(error.orig, "__cause__", None)
        return error.connection_invalidated or isinstance(error, UNAVAILABLE) or isinstance(told, UNAVAILABLE)
    return isinstance(error, UNAVAILABLE)


class Database:
    """The connection pool of one service, in its own schema and with its own role."""

    def __init__(self, settings: DatabaseSettings, service: str) -> None:
        self._name = f"studio {service}"
        self._url = service_url(settings, service)
        self._pool_size = settings.pool_size
        self._options: dict[str, Any] = {"timeout": CONNECT_TIMEOUT_SECONDS, "command_timeout": COMMAND_TIMEOUT_SECONDS}
        self._direct: asyncpg.Pool[asyncpg.Record] | None = None
        self._engine = create_async_engine(
            self._url,
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            pool_use_lifo=True,
            hide_parameters=True,  # they are prompts and answers, and errors go to the log
            connect_args={
                **self._options,
                "server_settings": {**_SERVER_SETTINGS, "application_name": self._name},
            },
        )
        self._sessions = async_sessionmaker(self._engine, class_=AsyncSession, expire_on_commit=False)

    async def run(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run `work` in one transaction and commit it.

        A connection that died before the commit is replaced and the work done again, so it has no effects of its own
        outside the session. Raises what the work raises; `is_unavailable` tells a database that is away.
        """
        for last in (False,) * (TRIES - 1) + (True,):
            async with self._sessions() as session:
                try:
                    result = await work(session)
                except DBAPIError as error:
                    if error.connection_invalidated and not last:
                        log.info("the database connection was lost; trying again")
                        continue
                    raise
                await session.commit()
                return result
        raise AssertionError("unreachable")

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[asyncpg.Record]:
        """Run one statement as a transaction of its own: one round trip. Returns its rows.

        A connection that turns out dead is replaced and the statement repeated, so it must bear that.
        Raises asyncpg's errors.
        """
        assert self._direct is not None  # noqa: S101  (connect comes first)
        arguments = statement.arguments(values)
        for last in (False,) * (TRIES - 1) + (True,):
            try:
                async with self._direct.acquire(timeout=POOL_WAIT_SECONDS) as connection:
                    rows: Sequence[asyncpg.Record] = await connection.fetch(statement.sql, *arguments)
                    return rows
            except LOST as error:
                if last:
                    raise
                log.info("the database connection was lost (%r); trying again", error)
        raise AssertionError("unreachable")

    async def fetch_in_turn(self, *steps: tuple[Statement, Mapping[str, Any]]) -> Sequence[asyncpg.Record]:
        """Run some statements as one transaction; each sees what those before it did. Returns the rows of the last.

        It is not repeated: who can bear that does it again. Raises asyncpg's errors.
        """
        assert self._direct is not None  # noqa: S101  (connect comes first)
        rows: Sequence[asyncpg.Record] = ()
        async with self._direct.acquire(timeout=POOL_WAIT_SECONDS) as connection, connection.transaction():
            for statement, values in steps:
                rows = await connection.fetch(statement.sql, *statement.arguments(values))
        return rows

    async def answers(self) -> None:
        """Ask it something. Raises asyncpg's errors, or TimeoutError, if it is away."""
        await self.fetch(_ASKED, {})

    async def connect(self) -> None:
        """Open some connections, so that the first requests do not wait for them. Raises StartError."""
        options = {**self._options, "server_settings": {**_SERVER_SETTINGS, "application_name": self._name}}
        url = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        deadline = asyncio.get_running_loop().time() + WAIT_FOR_DATABASE_SECONDS
        while self._direct is None:
            try:
                self._direct = await asyncpg.create_pool(
                    url, min_size=WARM_CONNECTIONS, max_size=self._pool_size, reset=_nothing_to_reset, **options
                )
            except (OSError, asyncpg.PostgresError) as error:
                if isinstance(error, TimeoutError) and asyncio.get_running_loop().time() < deadline:
                    log.info("the database takes its time to let us in; trying again")
                    continue
                raise self._refused(error) from error

    def _refused(self, error: Exception) -> StartError:
        where = f"{self._url.host}:{self._url.port or 5432}, as {self._url.username}"
        reason = str(error) or type(error).__name__
        return StartError(f"the database ({where}) does not let us in: {reason}; is it there and migrated?")

    async def close(self) -> None:
        """Close all connections."""
        if self._direct is not None:
            await self._direct.close()
        await self._engine.dispose()


async def _nothing_to_reset(_: Any) -> None:
    """Single statements leave nothing behind on their connection; asyncpg's own reset is a round trip."""

"""A service's database: one transaction per message, begun and ended at the boundary."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Executable, Row
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.ext.asyncio.session import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from kit.db.urls import service_url
from kit.settings import DatabaseSettings

log = logging.getLogger(__name__)

T = TypeVar("T")

CONNECT_TIMEOUT_SECONDS = 5
COMMAND_TIMEOUT_SECONDS = 30
POOL_WAIT_SECONDS = 5
TRIES = 3
"""After a restart of Postgres every pooled connection is dead once; the pool is emptied at the first."""

UNAVAILABLE: tuple[type[BaseException], ...] = (InterfaceError, OperationalError, OSError, TimeoutError)
"""Errors that say the database is away, not that the statement is wrong."""


def is_unavailable(error: BaseException) -> bool:
    """Whether the database is away."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, UNAVAILABLE)


class Database:
    """The connection pool of one service, in its own schema and with its own role."""

    def __init__(self, settings: DatabaseSettings, service: str) -> None:
        self._engine = create_async_engine(
            service_url(settings, service),
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            pool_use_lifo=True,
            hide_parameters=True,  # they are prompts and answers, and errors go to the log
            connect_args={
                "timeout": CONNECT_TIMEOUT_SECONDS,
                "command_timeout": COMMAND_TIMEOUT_SECONDS,
                "server_settings": {"application_name": f"studio {service}", "jit": "off"},
            },
        )
        self._single = self._engine.execution_options(isolation_level="AUTOCOMMIT")
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

    async def execute(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Run one statement as a transaction of its own: one round trip. Returns its rows.

        A connection that turns out dead is replaced and the statement repeated, so it must bear that.
        """
        for last in (False,) * (TRIES - 1) + (True,):
            try:
                async with self._single.connect() as connection:
                    result = await connection.execute(statement, values)
                    return result.all() if result.returns_rows else ()
            except DBAPIError as error:
                if last or not error.connection_invalidated:
                    raise
                log.info("the database connection was lost; trying again")
        raise AssertionError("unreachable")

    async def warm(self, connections: int) -> None:
        """Open some connections early, so that the first requests do not wait for them."""

        async def one() -> None:
            async with self._engine.connect():
                await asyncio.sleep(0)

        await asyncio.gather(*(one() for _ in range(connections)))

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

"""Roles, schemas and migrations of the services. Safe to run at every start and from several places at once."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from kit.db.urls import admin_url, role_of, service_url
from kit.settings import DatabaseSettings

log = logging.getLogger(__name__)

_LOCK = 0x5354_5544_494F  # one migration of this product at a time, whatever the host
LOCK_TIMEOUT_SECONDS = 60
TABLE_WAIT_SECONDS = 2.0
"""A change of a table waits for those who use it, and whoever comes after waits behind it: a backup that reads it for
an hour would stop the service for an hour. So it lets the others go first, and tries again.
"""
TABLE_TRIES = 30
TABLE_PAUSE_SECONDS = 1.0
_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True, slots=True)
class Schema:
    """A service's schema, named like the service, and where its migrations are."""

    service: str
    migrations: Path


async def migrate_all(settings: DatabaseSettings, schemas: Sequence[Schema]) -> None:
    """Make roles and schemas as the administrator, then upgrade each as the service itself."""
    admin = create_async_engine(admin_url(settings), poolclass=NullPool)
    try:
        async with admin.connect() as lock:
            await lock.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"))
            await lock.execute(text("SELECT pg_advisory_lock(:id)"), {"id": _LOCK})
            await lock.commit()
            for schema in schemas:
                await _provision(lock, schema.service, settings.service_password.get_secret_value())
                await lock.commit()
            for schema in schemas:
                await _upgrade(settings, schema)
    finally:
        await admin.dispose()


async def _provision(connection: AsyncConnection, service: str, password: str) -> None:
    role = role_of(service)
    exists = await connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
    if not exists:
        await connection.execute(text(f'CREATE ROLE "{role}" LOGIN'))
    if password:
        quoted = await connection.scalar(text("SELECT quote_literal(:password)"), {"password": password})
        await connection.execute(text(f'ALTER ROLE "{role}" PASSWORD {quoted}'))
    database = await connection.scalar(text("SELECT quote_ident(current_database())"))
    await connection.execute(text(f'GRANT CONNECT ON DATABASE {database} TO "{role}"'))
    # A hosted administrator is no superuser and must be a member of the role to give it a schema.
    await connection.execute(text(f'GRANT "{role}" TO CURRENT_USER'))
    await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{service}" AUTHORIZATION "{role}"'))


async def _upgrade(settings: DatabaseSettings, schema: Schema) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.migrations))
    script = ScriptDirectory.from_config(config)

    def revisions(current: Any, _: Any) -> Any:
        if newer := _newer(script, current):
            log.warning(
                "%s: the database is at %s, this version knows %s; nothing to do",
                *(schema.service, newer, script.get_current_head()),
            )
            return []
        steps = script._upgrade_revs("head", current)
        for step in steps:
            log.info("%s: %s", schema.service, step)
        return steps

    def migrate(connection: Connection) -> None:
        with EnvironmentContext(config, script, fn=revisions) as environment:
            environment.configure(connection=connection, version_table_schema=schema.service)
            with environment.begin_transaction():
                environment.run_migrations()

    engine = create_async_engine(service_url(settings, schema.service), poolclass=NullPool)
    try:
        for last in (*[False] * (TABLE_TRIES - 1), True):
            try:
                async with engine.begin() as connection:
                    await connection.execute(text(f"SET LOCAL lock_timeout = '{round(1000 * TABLE_WAIT_SECONDS)}ms'"))
                    await connection.run_sync(migrate)
                return
            except DBAPIError as error:
                if last or getattr(error.orig, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
                    raise
                log.warning("%s: a table is in use; trying again in %g s", schema.service, TABLE_PAUSE_SECONDS)
            await asyncio.sleep(TABLE_PAUSE_SECONDS)
    finally:
        await engine.dispose()


def _newer(script: ScriptDirectory, current: Any) -> str | None:
    """The revision that a newer release has left in the database, which is what this one meets after a rollback.

    Releases only add (docs/runbook.md), so it is fine. Any other unknown revision is an error, which Alembic tells.
    """
    known = {each.revision for each in script.walk_revisions()}
    unknown = [str(revision) for revision in current if revision not in known]
    return next((revision for revision in unknown if revision > (script.get_current_head() or "")), None)

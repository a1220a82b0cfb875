"""`migrate`: bring the database to the state this version needs."""

import asyncio

from kit.runtime.errors import StartError
from kit.settings import Settings
from services import roster
from services.commands.settings import load_settings

DATABASE_SECONDS = 60.0
POLL_SECONDS = 0.05
CONNECT_SECONDS = 5.0


def migrate() -> None:
    """Create roles, schemas and tables, or bring them up to date. May run at any time, any number of times."""
    settings = load_settings()
    import asyncpg
    from sqlalchemy.exc import DBAPIError

    from kit.db.migrate import Schema, migrate_all  # before the wait: both take a second

    async def go() -> None:
        await until_database(settings)
        try:
            await migrate_all(settings.database, [Schema(name, folder) for name, folder in roster.migrations()])
        except DBAPIError as error:
            if isinstance(getattr(error.orig, "__cause__", None), asyncpg.InvalidAuthorizationSpecificationError):
                raise StartError(
                    f"the database refuses a service: {error.orig}; is STUDIO_DATABASE_SERVICE_PASSWORD its password?"
                ) from None
            raise

    asyncio.run(go())


async def until_database(settings: Settings) -> None:
    """Wait until Postgres takes connections. Raises StartError after a minute, at once for a wrong password."""
    import asyncpg

    reason = ""
    url = settings.database.url.get_secret_value()
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            while True:
                try:
                    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
                except asyncpg.InvalidAuthorizationSpecificationError as error:
                    raise StartError(f"the database refuses us: {error}; check STUDIO_DATABASE_URL") from None
                except (OSError, asyncpg.PostgresError) as error:
                    reason = str(error)
                    await asyncio.sleep(POLL_SECONDS)
                else:
                    await connection.close(timeout=CONNECT_SECONDS)
                    return
    except TimeoutError:
        raise StartError(
            f"no database after {DATABASE_SECONDS:.0f} s ({reason}); start Postgres or set STUDIO_DATABASE_URL"
        ) from None


command = migrate

"""Who signs in to Postgres as what."""

from sqlalchemy.engine import URL, make_url

from kit.settings import DatabaseSettings

ROLE_PREFIX = "studio_"


def role_of(service: str) -> str:
    """The database role of a service; it owns the schema of the same name as the service."""
    return f"{ROLE_PREFIX}{service}"


def admin_url(settings: DatabaseSettings) -> URL:
    """The administrator's connection: makes roles and schemas, used by `migrate` only."""
    return make_url(settings.url.get_secret_value()).set(drivername="postgresql+asyncpg")


def service_url(settings: DatabaseSettings, service: str) -> URL:
    """A service's own connection."""
    password = settings.service_password.get_secret_value() or None
    return admin_url(settings).set(username=role_of(service), password=password)

"""Which secrets a service gets. ECS reads them when a task starts; no template and no image has one."""

from aws_cdk import aws_ecs as ecs

from infra.parts.environment import PROVIDER_KEYS
from infra.stacks.data import DataStack


def secrets_of(name: str, data: DataStack, *, tables: bool) -> dict[str, ecs.Secret]:
    """Variables and where their values are."""
    found: dict[str, ecs.Secret] = {}
    if tables:
        found["STUDIO_DATABASE_SERVICE_PASSWORD"] = ecs.Secret.from_secrets_manager(data.service_password)
    if name == "migrate":
        found["PGPASSWORD"] = ecs.Secret.from_secrets_manager(data.database.secret, "password")
    if data.bus is not None and name in data.bus.kept:
        found |= data.bus.of_service(name)
    if name == "edge":
        found["STUDIO_AUTH_SECRET"] = ecs.Secret.from_secrets_manager(data.auth_secret)
    if name == "inference":
        for key in PROVIDER_KEYS:
            found[key] = ecs.Secret.from_secrets_manager(data.provider_keys, key)
    return found

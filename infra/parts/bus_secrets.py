"""Where the keys of the bus are kept: one secret for each of its users, one for the servers, one for nobody.

They are made empty. `python -m infra.bus_keys` fills them, once, with the rights of a person who may; what it writes
into each is said there. A service's task gets its own and no other, by the role that ECS starts it with.
"""

from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.bus_names import AUTHORITY, SERVERS, secret_name
from infra.choices import Choices
from infra.parts.nats_config import variable_of
from infra.profiles import Profile
from services.permissions import INBOX, permissions


def is_keyed(profile: Profile, choices: Choices) -> bool:
    """Whether only keys open the bus."""
    return {"on": True, "off": False}.get(choices.bus_keys, profile.bus_keys)


@dataclass(frozen=True)
class BusSecrets:
    """All of them, by user."""

    kept: dict[str, secretsmanager.Secret]

    def of_service(self, user: str) -> dict[str, ecs.Secret]:
        """What a service's task is given."""
        own = self.kept[user]
        return {
            "STUDIO_NATS_NKEY": ecs.Secret.from_secrets_manager(own, "seed"),
            "STUDIO_NATS_CA": ecs.Secret.from_secrets_manager(own, "authority"),
        }

    def of_servers(self) -> dict[str, ecs.Secret]:
        """What a node is given: its certificate, and the public half of every user's key."""
        own = self.kept[SERVERS]
        fields = {f"NATS_{field.upper()}": field for field in ("certificate", "key", "authority")}
        fields |= {variable_of(user): user for user in permissions()}
        return {variable: ecs.Secret.from_secrets_manager(own, field) for variable, field in fields.items()}


def keyed_environment(user: str) -> dict[str, str]:
    """What a user of such a bus is told beside its secrets."""
    return {
        "STUDIO_NATS_TLS_FIRST": "true",
        "STUDIO_NATS_DECLARE": "false",
        "STUDIO_NATS_INBOX": INBOX.format(user=user),
    }


def add_bus_secrets(scope: Construct, profile: Profile) -> BusSecrets:
    """Make them. They outlive the stack: with a new authority nobody would know the servers."""
    purposes = {user: f"The key to the bus of {user}" for user in permissions()}
    purposes[SERVERS] = "What the NATS servers need: their certificate, and who may come in"
    purposes[AUTHORITY] = "Signs the certificates of the NATS servers; no role of ours may read it"
    inner = Construct(scope, "Bus")
    return BusSecrets({
        name: secretsmanager.Secret(
            inner,
            name.title(),
            secret_name=secret_name(profile.name, name),
            description=purpose,
            removal_policy=RemovalPolicy.RETAIN,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template="{}",  # noqa: S106 - it is empty
                generate_string_key="unused",
            ),
        )
        for name, purpose in purposes.items()
    })  # fmt: skip

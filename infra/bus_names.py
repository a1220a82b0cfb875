"""How the secrets of the bus are called, and under which names its servers are reached."""

from infra.profiles import Profile

SERVERS, AUTHORITY = "servers", "authority"


def secret_name(profile: str, whose: str) -> str:
    """Fixed, so that who fills them need not ask CloudFormation."""
    return f"ai-studio/{profile}/bus/{whose}"


def domain(profile: Profile) -> str:
    """Of the private zone."""
    return f"studio-{profile.name}.internal"


def node_names(profile: Profile) -> list[str]:
    """They stay: a node that comes back under another one is another node."""
    return [f"nats-{number}" for number in range(profile.nats_nodes)]


def node_hosts(profile: Profile) -> tuple[str, ...]:
    """The nodes, as others find them."""
    return tuple(f"{name}.{domain(profile)}" for name in node_names(profile))

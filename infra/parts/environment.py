"""The settings of each service on AWS: the variables of kit/settings.py, and those that providers' libraries read."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.choices import Choices
from infra.timeouts import RETIREMENT_POLL_SECONDS

EDGE_PORT = 8484
METRICS_SECONDS = 10
"""How often measures are written: twice within the time in which a scale-out is decided."""

PROVIDER_KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY")


@dataclass(frozen=True)
class Place:
    """Where a stack's servers are."""

    nats_urls: tuple[str, ...]
    replicas: int
    metrics_namespace: str
    database_host: str
    database_name: str


def common(place: Place) -> dict[str, str]:
    """What every service is told."""
    return {
        "STUDIO_NATS_URL": ",".join(place.nats_urls),
        "STUDIO_NATS_REPLICAS": str(place.replicas),
        "STUDIO_METRICS_LOG_SECONDS": str(METRICS_SECONDS),
        "STUDIO_METRICS_LOG_NAMESPACE": place.metrics_namespace,
    }


def of_tables(place: Place, user: str = "") -> dict[str, str]:
    """What a service with tables is told; its password comes as a secret. asyncpg reads PGSSLMODE."""
    name = f"{user}@" if user else ""
    return {
        "STUDIO_DATABASE_URL": f"postgresql://{name}{place.database_host}:5432/{place.database_name}",
        "PGSSLMODE": "require",
    }


def of_service(name: str, choices: Choices, slots: int) -> Mapping[str, str]:
    """What only this service is told; nothing, for one that needs nothing of its own."""
    mail = {"STUDIO_NOTIFIER_EMAIL": "ses", "STUDIO_NOTIFIER_SENDER": choices.sender}
    own: dict[str, dict[str, str]] = {
        "edge": {
            "STUDIO_EDGE_HOST": "0.0.0.0",  # noqa: S104 - the balancer calls it, and its group lets nobody else in
            "STUDIO_EDGE_PORT": str(EDGE_PORT),
            "STUDIO_EDGE_RETIREMENT_POLL_SECONDS": str(RETIREMENT_POLL_SECONDS),
            "STUDIO_AUTH_MODE": "token",
        },
        "notifier": {
            **(mail if choices.sender else {"STUDIO_NOTIFIER_EMAIL": "off"}),
            "STUDIO_PUBLIC_URL": choices.public_url,
        },
        "inference": {"STUDIO_MODELS_OLLAMA_URL": "", "STUDIO_INFERENCE_SLOTS": str(slots)},
    }
    return own.get(name, {})

"""Which services there are, and how many of each. A later service joins the chaos by a line here."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from kit.runtime.child import ChildSpec
from tests.chaos.cluster.member import Member

ROOT = Path(__file__).parents[3]
STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Replicas:
    """One service and the number of its processes."""

    service: str
    count: int = 2


REPLICAS = (
    Replicas("edge"),
    Replicas("chat"),
    Replicas("compare"),
    Replicas("architect"),
    Replicas("notifier"),
    Replicas("inference"),
)

INFRASTRUCTURE = ("nats", "postgres")
KINDS = (*(each.service for each in REPLICAS), *INFRASTRUCTURE)
"""Every kind of process that is killed."""


def service_member(service: str, number: int, environment: dict[str, str], folder: Path) -> Member:
    """One process of a service."""
    spec = command(f"{service}-{number}", environment, "run", service)

    async def same() -> ChildSpec:
        return spec

    return Member(service, f"{service}-{number}", same, folder)


def command(name: str, environment: dict[str, str], *arguments: str) -> ChildSpec:
    """A command of the product in a clean environment: nothing of the developer's own settings gets in."""
    inherited = [name for name in os.environ if name.startswith(("STUDIO_", "OTEL_")) and name not in environment]
    clean = ("env", *(word for name in inherited for word in ("-u", name))) if inherited else ()
    return ChildSpec(
        name=name,
        command=(*clean, sys.executable, "-m", "services", *arguments),
        env={"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environment},
        stop_seconds=STOP_SECONDS,
        start_seconds=60.0,
    )

"""Every service of the roster, and how many processes each has."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from kit.runtime.child import ChildSpec
from services.roster import ROSTER
from tests.chaos.cluster.member import Member
from tests.chaos.cluster.release import CURRENT, Release

STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Replicas:
    """One service and the number of its processes."""

    service: str
    count: int = 2


REPLICAS = tuple(Replicas(spec.name) for spec in ROSTER)

INFRASTRUCTURE = ("nats", "postgres")
KINDS = (*(each.service for each in REPLICAS), *INFRASTRUCTURE)
"""Every kind of process that is killed."""


class ServiceMember(Member):
    """One process of a service, of `release` from its next start on."""

    def __init__(
        self, service: str, number: int, environment: dict[str, str], folder: Path, release: Release = CURRENT
    ) -> None:
        self.release = release
        name = f"{service}-{number}"

        async def spec() -> ChildSpec:
            return command(name, environment, "run", service, release=self.release)

        super().__init__(service, name, spec, folder)

    @property
    def exists(self) -> bool:
        """Whether its release has such a service at all."""
        return self.kind in self.release.services

    async def become(self, release: Release) -> None:
        """A deploy: SIGTERM, and start again as another release. One that has no such service stays away.

        Raises TimeoutError when it does not start.
        """
        was, self.release = self.exists, release
        if was:
            await (self.terminate() if self.exists else self.retire())
        elif self.opened:
            self.let_go()
        elif self.exists:
            await self.open()
        if self.exists:
            await self.until_ready()


def command(name: str, environment: dict[str, str], *arguments: str, release: Release = CURRENT) -> ChildSpec:
    """A command of the product in a clean environment: nothing of the developer's own settings gets in.

    `-P`: not what lies in the folder where the runner happens to stand, but the release's own code.
    """
    inherited = [name for name in os.environ if name.startswith(("STUDIO_", "OTEL_")) and name not in environment]
    clean = ("env", *(word for name in inherited for word in ("-u", name))) if inherited else ()
    return ChildSpec(
        name=name,
        command=(*clean, sys.executable, "-P", "-m", "services", *arguments),
        env={"PYTHONPATH": str(release.root), "PYTHONUNBUFFERED": "1", **environment},
        stop_seconds=STOP_SECONDS,
        start_seconds=60.0,
    )

"""The one table of profiles: every number in which dev, small and prod differ."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Task:
    """One service's tasks. 1024 CPU units are one core."""

    cpu: int = 256
    memory_mib: int = 512
    least: int = 1
    most: int = 3
    spot: bool = False
    on_demand: int = 0
    """With `spot`: so many tasks are never on Spot, so that the service is there when Spot has nothing."""


@dataclass(frozen=True)
class Profile:
    """One way to run the whole system. A service that `tasks` does not name has `usual`."""

    name: str
    usual: Task
    tasks: dict[str, Task]
    zones: str
    nat: bool
    """Private subnets with a NAT gateway in each zone; otherwise tasks have public addresses that nothing may call."""
    nats_nodes: int
    nats_instance: str
    nats_disk_gib: int
    database_least_acu: float
    database_most_acu: float
    database_readers: int
    database_pause_seconds: int | None
    """Aurora sleeps when nobody has been connected for so long: only while the services are stopped."""
    firewall: bool
    protected: bool
    """Against being deleted by mistake."""
    insights: bool
    own_key: bool
    """Disks and the database are encrypted with a key of this stack, and not with the account's."""
    log_days: int
    budget_usd: int
    """Of a month: what docs/aws.md says that it costs, and some air. Tokens are not in it."""
    backup_days: int = 7
    nats_on: Literal["ec2", "fargate"] = "ec2"
    bus_keys: bool = False
    """Only keys open the bus, and it speaks TLS; otherwise the network alone keeps strangers out (docs/adr/0026)."""
    certificate_needed: bool = field(default=True)

    def task(self, service: str) -> Task:
        """The tasks of a service."""
        return self.tasks.get(service, self.usual)

    @property
    def replicas(self) -> int:
        """Copies of every stream."""
        return 3 if self.nats_nodes >= 3 else 1


DEV = Profile(
    name="dev",
    usual=Task(spot=True),
    tasks={"edge": Task(most=2)},
    zones="ab",
    nat=False,
    nats_nodes=1,
    nats_instance="t4g.micro",
    nats_disk_gib=10,
    database_least_acu=0,
    database_most_acu=2,
    database_readers=0,
    database_pause_seconds=300,
    firewall=False,
    protected=False,
    insights=False,
    own_key=False,
    log_days=7,
    budget_usd=160,
    backup_days=1,
    certificate_needed=False,
)

SMALL = Profile(
    name="small",
    usual=Task(most=6, spot=True),
    tasks={"edge": Task(most=10), "inference": Task(most=20, spot=True), "notifier": Task(most=2, spot=True)},
    zones="ab",
    nat=False,
    nats_nodes=1,
    nats_instance="t4g.micro",
    nats_disk_gib=10,
    database_least_acu=0.5,
    database_most_acu=8,
    database_readers=0,
    database_pause_seconds=None,
    firewall=False,
    protected=True,
    insights=False,
    own_key=False,
    log_days=14,
    budget_usd=182,
)

PROD = Profile(
    name="prod",
    usual=Task(least=2, most=12),
    tasks={
        "edge": Task(512, 1024, least=2, most=40),
        "inference": Task(512, 1024, least=3, most=60, spot=True, on_demand=1),
        "notifier": Task(least=2, most=4, spot=True, on_demand=1),
    },
    zones="abc",
    nat=True,
    nats_nodes=3,
    nats_instance="t4g.small",
    nats_disk_gib=50,
    database_least_acu=0.5,
    database_most_acu=16,
    database_readers=1,
    database_pause_seconds=None,
    firewall=True,
    protected=True,
    insights=True,
    own_key=True,
    log_days=30,
    budget_usd=700,
    backup_days=14,
    bus_keys=True,
)

PROFILES = {profile.name: profile for profile in (DEV, SMALL, PROD)}

"""What a profile costs in a month when nobody is there, from its templates: `python -m infra.cost FOLDER PROFILE`.

Not in it: the tokens of models, data that leaves AWS, and taxes. What a template cannot tell is in USAGE.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import prices

SESSIONS_A_DAY = 45
DAYS = 365 / 12
SHARP_SECONDS = 60
"""An alarm on a shorter period is a dearer one."""

Resource = dict[str, Any]


@dataclass(frozen=True)
class Usage:
    """What is used beyond what stands there."""

    acu: float
    """On average, of the writer. The services look into their tables every few seconds, so it does not pause."""
    database_gib: float
    balancer_units: float
    log_gib: float
    metrics: int
    nat_gib: float = 0
    million_requests: float = 0


USAGE = {
    "dev": Usage(acu=0.5, database_gib=1, balancer_units=0.1, log_gib=2, metrics=8),
    "small": Usage(acu=0.5, database_gib=5, balancer_units=0.2, log_gib=3, metrics=8),
    "prod": Usage(acu=1.0, database_gib=50, balancer_units=2, log_gib=40, metrics=8, nat_gib=100, million_requests=5),
}
"""Metrics: those of kit/telemetry/measures.py with their hops."""


def monthly(templates: Mapping[str, Mapping[str, Any]], usage: Usage) -> dict[str, float]:
    """USD by what they are for."""
    costs: dict[str, float] = defaultdict(float)
    for stack, name, kind, properties in _resources(templates):
        counted = COUNTED.get(kind)
        if counted is not None:
            for what, usd in counted(properties, templates[stack], usage):
                costs[what] += usd
        if kind == "AWS::ECS::Cluster" and _is_watched_closely(properties):
            looked_at = sum(1 for _, _, kind, _ in _resources(templates) if kind == "AWS::ECS::Service")
            costs["Container Insights"] += looked_at * prices.INSIGHTS_OF_A_SERVICE
        if kind == "AWS::RDS::DBInstance" and "Reader" in name:
            costs["Aurora"] += usage.acu * prices.ACU * prices.HOURS
    costs["logs"] += usage.log_gib * prices.LOG_GIB
    costs["metrics"] += usage.metrics * prices.METRIC
    return dict(costs)


def per_session(month: float) -> float:
    """USD of a session at 45 sessions a day, without tokens."""
    return month / (SESSIONS_A_DAY * DAYS)


Costs = Iterator[tuple[str, float]]


def _service(service: Resource, template: Mapping[str, Any], _: Usage) -> Costs:
    task = template["Resources"][service["TaskDefinition"]["Ref"]]["Properties"]
    if "Cpu" not in task:
        return  # on an instance, which is counted
    count = _least(service, template)
    strategy = {one["CapacityProvider"]: one for one in service.get("CapacityProviderStrategy", [])}
    on_demand = strategy.get("FARGATE", {}).get("Base", 0) if "FARGATE_SPOT" in strategy else count
    cores, gib = int(task["Cpu"]) / 1024, int(task["Memory"]) / 1024
    one = (cores * prices.FARGATE_CPU + gib * prices.FARGATE_GIB) * prices.HOURS
    yield "Fargate", one * (on_demand + (count - on_demand) * prices.SPOT)
    if service["NetworkConfiguration"]["AwsvpcConfiguration"].get("AssignPublicIp") == "ENABLED":
        yield "public addresses", count * prices.PUBLIC_ADDRESS * prices.HOURS
    if "Monitoring" in service:
        sharp = service["Monitoring"]["MetricConfigurations"][0]["MetricNames"]
        yield "metrics", len(sharp) * prices.METRIC
    for volume in service.get("VolumeConfigurations", []):
        yield "disks", volume["ManagedEBSVolume"]["SizeInGiB"] * prices.GP3_GIB


def _least(service: Resource, template: Mapping[str, Any]) -> int:
    """The number that scaling keeps, or the one that is fixed."""
    if "DesiredCount" in service:
        return int(service["DesiredCount"])
    resources = template["Resources"]
    (name,) = (name for name, resource in resources.items() if resource.get("Properties") is service)
    for resource in resources.values():
        target = resource.get("Properties", {})
        if resource["Type"] == "AWS::ApplicationAutoScaling::ScalableTarget" and f"'{name}'" in str(
            target["ResourceId"]
        ):
            return int(target["MinCapacity"])
    raise ValueError(f"{name} has no number of tasks")


def _instance(template: Resource, _: Mapping[str, Any], __: Usage) -> Costs:
    data = template["LaunchTemplateData"]
    yield "NATS instances", prices.INSTANCES[data["InstanceType"]] * prices.HOURS
    yield "disks", sum(device["Ebs"]["VolumeSize"] for device in data["BlockDeviceMappings"]) * prices.GP3_GIB
    if any(one.get("AssociatePublicIpAddress") for one in data.get("NetworkInterfaces", [])):
        yield "public addresses", prices.PUBLIC_ADDRESS * prices.HOURS


def _balancer(balancer: Resource, _: Mapping[str, Any], usage: Usage) -> Costs:
    yield "balancer", (prices.BALANCER + usage.balancer_units * prices.BALANCER_UNIT) * prices.HOURS
    yield "public addresses", len(balancer["Subnets"]) * prices.PUBLIC_ADDRESS * prices.HOURS


def _alarm(alarm: Resource, _: Mapping[str, Any], __: Usage) -> Costs:
    looked_at = [one["MetricStat"] for one in alarm.get("Metrics", []) if "MetricStat" in one] or [alarm]
    price = prices.SHARP_ALARM if min(int(one["Period"]) for one in looked_at) < SHARP_SECONDS else prices.ALARM
    yield "alarms", len(looked_at) * price


def _policy(policy: Resource, _: Mapping[str, Any], __: Usage) -> Costs:
    if policy["PolicyType"] == "TargetTrackingScaling":  # AWS makes an alarm for each direction
        yield (
            "alarms",
            (1 if policy["TargetTrackingScalingPolicyConfiguration"].get("DisableScaleIn") else 2)
            * (prices.SHARP_ALARM),
        )


def _database(database: Resource, _: Mapping[str, Any], usage: Usage) -> Costs:
    yield "Aurora", usage.acu * prices.ACU * prices.HOURS + usage.database_gib * prices.AURORA_GIB
    if database.get("ManageMasterUserPassword"):
        yield "secrets and keys", prices.SECRET


def _firewall(firewall: Resource, _: Mapping[str, Any], usage: Usage) -> Costs:
    rules = len(firewall["Rules"]) * prices.FIREWALL_RULE
    yield "firewall", prices.FIREWALL + rules + usage.million_requests * prices.MILLION_FIREWALL_REQUESTS


def _is_watched_closely(cluster: Resource) -> bool:
    return any(one.get("Value") in ("enabled", "enhanced") for one in cluster.get("ClusterSettings", []))


def _fixed(what: str, usd: Callable[[Resource, Usage], float]) -> Callable[..., Costs]:
    return lambda properties, _, usage: iter([(what, usd(properties, usage))])


COUNTED: dict[str, Callable[..., Costs]] = {
    "AWS::ECS::Service": _service,
    "AWS::EC2::LaunchTemplate": _instance,
    "AWS::EC2::Volume": _fixed("disks", lambda volume, _: volume["Size"] * prices.GP3_GIB),
    "AWS::EC2::NatGateway": _fixed("NAT", lambda _, __: (prices.NAT_GATEWAY + prices.PUBLIC_ADDRESS) * prices.HOURS),
    "AWS::EC2::VPC": _fixed("NAT", lambda _, usage: usage.nat_gib * prices.NAT_GIB),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _balancer,
    "AWS::RDS::DBCluster": _database,
    "AWS::SecretsManager::Secret": _fixed("secrets and keys", lambda _, __: prices.SECRET),
    "AWS::KMS::Key": _fixed("secrets and keys", lambda _, __: prices.KEY),
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::CompositeAlarm": _fixed("alarms", lambda _, __: prices.COMPOSITE_ALARM),
    "AWS::ApplicationAutoScaling::ScalingPolicy": _policy,
    "AWS::ServiceDiscovery::PrivateDnsNamespace": _fixed("names", lambda _, __: prices.ZONE),
    "AWS::WAFv2::WebACL": _firewall,
}


def _resources(templates: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str, Resource]]:
    for stack, template in templates.items():
        for name, resource in template["Resources"].items():
            yield stack, name, resource["Type"], resource.get("Properties", {})


def main() -> None:
    """Print the table of one profile."""
    folder, profile = Path(sys.argv[1]), sys.argv[2]
    templates = {path.name: json.loads(path.read_text()) for path in sorted(folder.glob("*.template.json"))}
    costs = monthly(templates, USAGE[profile])
    for what, usd in sorted(costs.items(), key=lambda pair: -pair[1]):
        sys.stdout.write(f"{what:20} {usd:8.2f}\n")
    total = sum(costs.values())
    sys.stdout.write(f"{'a month':20} {total:8.2f}\n{'a session':20} {per_session(total):8.3f}\n")


if __name__ == "__main__":
    main()

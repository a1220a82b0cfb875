"""A Fargate service: how many, where, and how its tasks are replaced."""

from typing import Any

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from infra.profiles import Task
from infra.stacks.network import NetworkStack


def add_service(
    scope: Construct,
    task: Task,
    definition: ecs.FargateTaskDefinition,
    group: ec2.SecurityGroup,
    cluster: ecs.Cluster,
    network: NetworkStack,
    **more: Any,
) -> ecs.FargateService:
    """New tasks before old ones go. If they do not come up, or an alarm rises, the version before is started again.

    Old and new run side by side meanwhile, on one bus and one database.
    """
    return ecs.FargateService(
        scope,
        "Service",
        cluster=cluster,
        task_definition=definition,
        desired_count=task.least,
        min_healthy_percent=100,
        max_healthy_percent=200,
        circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
        security_groups=[group],
        vpc_subnets=network.selection(),
        assign_public_ip=network.public_addresses,
        capacity_provider_strategies=_capacity(task),
        availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.ENABLED,
        propagate_tags=ecs.PropagatedTagSource.SERVICE,
        enable_ecs_managed_tags=True,
        **more,
    )


def _capacity(task: Task) -> list[ecs.CapacityProviderStrategy]:
    """Spot takes its tasks back with two minutes' notice, which is a SIGTERM like any other."""
    kept = ecs.CapacityProviderStrategy(capacity_provider="FARGATE", base=task.on_demand, weight=0)
    if not task.spot:
        return [ecs.CapacityProviderStrategy(capacity_provider="FARGATE", weight=1)]
    spot = ecs.CapacityProviderStrategy(capacity_provider="FARGATE_SPOT", weight=1)
    return [kept, spot] if task.on_demand else [spot]

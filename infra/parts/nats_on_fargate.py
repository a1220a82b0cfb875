"""A NATS node on Fargate, for who wants no instance at all. Its disk is new and empty at every start.

Three nodes fill an empty one from the others; a single node forgets everything when it is replaced. docs/adr/0024 says
why this is the switch and not the default.
"""

from aws_cdk import Size
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from infra.parts.nats_config import STORE, Node
from infra.parts.nats_place import VOLUME, NatsPlace

CPU, MEMORY_MIB = 256, 1024
ROOT = "0"
"""Fargate gives the new disk to root. The container has no capability, so root is nobody but the owner of that disk."""


def add_node(scope: Construct, node: Node, place: NatsPlace) -> ecs.BaseService:
    """A service of one task with a disk that ECS makes for it."""
    inner = Construct(scope, node.name)
    tasks = ecs.FargateTaskDefinition(
        inner,
        "Tasks",
        cpu=CPU,
        memory_limit_mib=MEMORY_MIB,
        runtime_platform=ecs.RuntimePlatform(
            cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
        ),
    )
    disk = ecs.ServiceManagedVolume(
        inner,
        "Disk",
        name=VOLUME,
        managed_ebs_volume=ecs.ServiceManagedEBSVolumeConfiguration(
            size=Size.gibibytes(node.disk_gib),
            volume_type=ec2.EbsDeviceVolumeType.GP3,
            file_system_type=ecs.FileSystemType.XFS,
            encrypted=True,
        ),
    )
    tasks.add_volume(name=disk.name, configured_at_launch=True)
    container = place.container(tasks, node, ROOT)
    disk.mount_in(container, container_path=STORE, read_only=False)
    service = ecs.FargateService(
        inner,
        "Service",
        cluster=place.cluster,
        task_definition=tasks,
        desired_count=1,
        min_healthy_percent=0,
        max_healthy_percent=100,
        circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
        security_groups=[place.group],
        vpc_subnets=place.network.selection(node.zone),
        assign_public_ip=place.network.public_addresses,
        cloud_map_options=place.named(node),
        availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.DISABLED,
    )
    service.add_volume(disk)
    return service

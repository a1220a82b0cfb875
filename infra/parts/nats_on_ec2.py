"""A NATS node on an instance of its own, whose disk outlives the instance."""

from aws_cdk import Aws, Duration, RemovalPolicy, Stack, Tags
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from infra.parts.nats_config import STORE, Node
from infra.parts.nats_place import VOLUME, NatsPlace
from infra.parts.nats_role import TAG, node_role

USER = "1000"
SYSTEM_GIB = 30
"""The least that the ECS image takes."""
DEVICE = "/dev/sdf"
LONGEST_MINUTES = 15
"""Until a new instance has the disk and its node works; then the deployment goes back."""
LOG = "/var/log/studio-node.log"
METADATA = "http://169.254.169.254/latest"


def add_node(scope: Construct, node: Node, place: NatsPlace) -> ecs.BaseService:
    """A group of exactly one instance, which takes the node's disk and runs the node and nothing else."""
    inner = Construct(scope, node.name)
    disk = ec2.CfnVolume(
        inner,
        "Disk",
        availability_zone=node.zone,
        size=node.disk_gib,
        volume_type="gp3",
        encrypted=True,
        kms_key_id=place.key.key_arn if place.key else None,
    )
    disk.apply_removal_policy(RemovalPolicy.SNAPSHOT)
    capacity = ecs.AsgCapacityProvider(
        inner,
        "Capacity",
        auto_scaling_group=_instances(inner, node, place, disk),
        enable_managed_scaling=False,
        enable_managed_termination_protection=False,
        enable_managed_draining=True,
    )
    place.cluster.add_asg_capacity_provider(capacity)
    tasks = ecs.Ec2TaskDefinition(
        inner,
        "Tasks",
        network_mode=ecs.NetworkMode.AWS_VPC,
        volumes=[ecs.Volume(name=VOLUME, host=ecs.Host(source_path=STORE))],
    )
    container = place.container(tasks, node, f"{USER}:{USER}")
    container.add_mount_points(ecs.MountPoint(container_path=STORE, source_volume=VOLUME, read_only=False))
    return ecs.Ec2Service(
        inner,
        "Service",
        cluster=place.cluster,
        task_definition=tasks,
        desired_count=1,
        min_healthy_percent=0,  # the disk is at one place at a time: the old one stops, then the new one starts
        max_healthy_percent=100,
        circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
        security_groups=[place.group],
        vpc_subnets=place.network.selection(node.zone),
        cloud_map_options=place.named(node),
        capacity_provider_strategies=[
            ecs.CapacityProviderStrategy(capacity_provider=capacity.capacity_provider_name, weight=1)
        ],
        availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.DISABLED,
    )


def _instances(scope: Construct, node: Node, place: NatsPlace, disk: ec2.CfnVolume) -> autoscaling.AutoScalingGroup:
    role = node_role(scope, node, place, disk)
    script = _at_start(place, disk)
    template = ec2.LaunchTemplate(
        scope,
        "Template",
        instance_type=ec2.InstanceType(place.instance),
        role=role.without_policy_updates(),  # CDK would add `ecs:Submit*` on everything
        security_group=place.group,
        associate_public_ip_address=place.network.public_addresses or None,
        user_data=script,
        require_imdsv2=True,
        # The newest at each deployment, by a parameter of AWS's own that CloudFormation reads.
        machine_image=ecs.EcsOptimizedImage.amazon_linux2023(ecs.AmiHardwareType.ARM),
        block_devices=[
            ec2.BlockDevice(
                device_name="/dev/xvda",
                volume=ec2.BlockDeviceVolume.ebs(SYSTEM_GIB, encrypted=True, volume_type=ec2.EbsDeviceVolumeType.GP3),
            )
        ],
    )
    group = autoscaling.AutoScalingGroup(
        scope,
        "Instances",
        vpc=place.network.vpc,
        vpc_subnets=place.network.selection(node.zone),
        launch_template=template,
        min_capacity=1,
        max_capacity=1,
        # Never two: the new one could not have the disk. It is not renewed before its node works, which it says itself.
        update_policy=autoscaling.UpdatePolicy.rolling_update(
            max_batch_size=1,
            min_instances_in_service=0,
            wait_on_resource_signals=True,
            pause_time=Duration.minutes(LONGEST_MINUTES),
        ),
    )
    Tags.of(group).add(TAG, node.name)
    script.add_commands(*_says_that_it_works(group))
    return group


def _says_that_it_works(group: autoscaling.AutoScalingGroup) -> tuple[str, ...]:
    """In the background: ECS's agent starts the node only after this script is through."""
    name = Stack.of(group).get_logical_id(group.node.default_child)
    signal = (
        f"aws cloudformation signal-resource --region {Aws.REGION} --stack-name {Aws.STACK_NAME} "
        f"--logical-resource-id {name} --unique-id $instance --status SUCCESS"
    )
    # At the first deployment nobody waits for it, and CloudFormation refuses it.
    healthy = "docker ps --quiet --filter health=healthy --filter label=com.amazonaws.ecs.container-name=nats"
    wait = f'until [ -n "$({healthy})" ]; do sleep 5; done'
    return (f"nohup sh -c '{wait}; {signal}' >{LOG} 2>&1 &",)


def _at_start(place: NatsPlace, disk: ec2.CfnVolume) -> ec2.UserData:
    """Join the cluster, take the disk, make a file system on it if it has none, mount it."""
    script = ec2.UserData.for_linux()
    script.add_commands(
        f"echo ECS_CLUSTER={place.cluster.cluster_name} >> /etc/ecs/ecs.config",
        "echo ECS_AWSVPC_BLOCK_IMDS=true >> /etc/ecs/ecs.config",  # no container gets at the instance's role
        f"token=$(curl -sX PUT {METADATA}/api/token -H 'X-aws-ec2-metadata-token-ttl-seconds: 300')",
        f'export instance=$(curl -s -H "X-aws-ec2-metadata-token: $token" {METADATA}/meta-data/instance-id)',
        "command -v aws >/dev/null || dnf install -y awscli-2",
        # The one before may still have it: until it is gone this is tried again.
        f"until aws ec2 attach-volume --region {Aws.REGION} --volume-id {disk.ref} --instance-id $instance "
        f"--device {DEVICE}; do sleep 5; done",
        f"until [ -b {DEVICE} ]; do sleep 1; done",
        f"blkid {DEVICE} || mkfs.xfs {DEVICE}",
        f"mkdir -p {STORE} && mount -o noatime {DEVICE} {STORE} && chown {USER}:{USER} {STORE}",
    )
    return script

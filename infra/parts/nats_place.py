"""What the NATS nodes have in common, whatever they run on."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_servicediscovery as servicediscovery

from infra.parts.confined import confine
from infra.parts.nats_config import CLIENTS, ROUTES, STOP_SECONDS, Node, check, command, config
from infra.stacks.network import NetworkStack

MEMORY_MIB = 512
"""Of one node: the small instances have 1 GiB, and the system and the ECS agent need the rest."""
DNS_SECONDS = 10
"""How long a client may remember where a node was."""
VOLUME = "store"
"""The name of the volume with the store."""


@dataclass(frozen=True)
class NatsPlace:
    """Where nodes are put."""

    cluster: ecs.Cluster
    namespace: servicediscovery.PrivateDnsNamespace
    group: ec2.SecurityGroup
    key: kms.Key | None
    network: NetworkStack
    instance: str
    image: ecs.ContainerImage
    log: logs.LogGroup
    secrets: Mapping[str, ecs.Secret]
    """Of a node that only keys open; otherwise none."""

    def container(self, tasks: ecs.TaskDefinition, node: Node, user: str) -> ecs.ContainerDefinition:
        """The server; its store is to be mounted."""
        return tasks.add_container(
            "nats",
            image=self.image,
            command=command(keyed=node.keyed),
            environment={"NATS_CONFIG": config(node)},
            secrets=dict(self.secrets),
            memory_limit_mib=MEMORY_MIB,
            user=user,
            readonly_root_filesystem=True,
            linux_parameters=confine(tasks),
            stop_timeout=Duration.seconds(STOP_SECONDS),
            health_check=ecs.HealthCheck(
                command=check(node),
                interval=Duration.seconds(30),
                timeout=Duration.seconds(10),
                retries=10,
                start_period=Duration.seconds(300),  # one that comes back reads its store, and gets what it has missed
            ),
            logging=ecs.LogDrivers.aws_logs(stream_prefix=node.name, log_group=self.log),
            port_mappings=[ecs.PortMapping(container_port=port) for port in (CLIENTS, ROUTES)],
        )

    def named(self, node: Node) -> ecs.CloudMapOptions:
        """The name by which the others find it. No proxy: servers tell each other's addresses to their clients."""
        return ecs.CloudMapOptions(
            name=node.name,
            cloud_map_namespace=self.namespace,
            dns_record_type=servicediscovery.DnsRecordType.A,
            dns_ttl=Duration.seconds(DNS_SECONDS),
        )

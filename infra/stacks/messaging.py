"""The ECS cluster, and the NATS nodes in it."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from aws_cdk import aws_servicediscovery as servicediscovery
from constructs import Construct

from infra.bus_names import domain, node_hosts, node_names
from infra.choices import Choices
from infra.parts import nats_on_ec2, nats_on_fargate
from infra.parts.log_days import retention
from infra.parts.nats_config import CLIENTS, ROUTES, Node
from infra.parts.nats_place import NatsPlace
from infra.profiles import Profile
from infra.stacks.data import DataStack
from infra.stacks.network import NetworkStack
from infra.stacks.registry import NATS_IMAGE

KINDS = {"ec2": nats_on_ec2.add_node, "fargate": nats_on_fargate.add_node}


class MessagingStack(Stack):
    """One node per zone, each with a name, a disk and a service of its own (docs/adr/0024)."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        profile: Profile,
        choices: Choices,
        network: NetworkStack,
        data: DataStack,
        **rest: object,
    ) -> None:
        super().__init__(scope, name, **rest)
        self.cluster = ecs.Cluster(
            self,
            "Cluster",
            vpc=network.vpc,
            container_insights_v2=ecs.ContainerInsights.ENABLED if profile.insights else ecs.ContainerInsights.DISABLED,
            enable_fargate_capacity_providers=True,
        )
        namespace = servicediscovery.PrivateDnsNamespace(self, "Names", name=domain(profile), vpc=network.vpc)
        self.nats = ec2.SecurityGroup(self, "Nats", vpc=network.vpc, description="The NATS nodes")
        self.nats.add_ingress_rule(self.nats, ec2.Port.tcp(ROUTES), "The nodes to each other")
        place = NatsPlace(
            cluster=self.cluster,
            namespace=namespace,
            group=self.nats,
            key=data.key,
            network=network,
            instance=profile.nats_instance,
            image=ecs.ContainerImage.from_ecr_repository(
                ecr.Repository.from_repository_name(self, "Image", NATS_IMAGE), choices.nats_tag
            ),
            secrets=data.bus.of_servers() if data.bus else {},
            log=logs.LogGroup(self, "Log", retention=retention(profile.log_days), removal_policy=RemovalPolicy.DESTROY),
        )
        hosts, keyed = node_hosts(profile), data.bus is not None
        add_node = KINDS[choices.nats_on or profile.nats_on]
        self.nodes: dict[str, ecs.BaseService] = {}
        for number, node_name in enumerate(node_names(profile)):
            zone = network.zones[number % len(network.zones)]
            node = Node(node_name, zone, profile.nats_disk_gib, hosts, keyed)
            self.nodes[node_name] = add_node(self, node, place)
            if number:
                # One after the other: CloudFormation would replace all at once, and take the majority away. What is
                # waited for is that the one before is healthy again.
                inner = self.node.find_child(node_name)
                inner.node.add_dependency(self.node.find_child(f"nats-{number - 1}"))
        self.urls = tuple(f"{'tls' if keyed else 'nats'}://{host}:{CLIENTS}" for host in hosts)

    def let_in(self, scope: Construct, name: str, group: ec2.ISecurityGroup) -> None:
        """Open NATS to a group of another stack; the rule lives there, or the stacks would need each other."""
        ec2.CfnSecurityGroupIngress(
            scope,
            name,
            group_id=self.nats.security_group_id,
            ip_protocol="tcp",
            from_port=CLIENTS,
            to_port=CLIENTS,
            source_security_group_id=group.security_group_id,
        )

"""The services of the roster, each a Fargate service of its own, and the balancer in front of the edge."""

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.choices import Choices
from infra.parts import canary
from infra.parts.balancer import add_balancer
from infra.parts.bus_secrets import keyed_environment
from infra.parts.environment import Place, common, of_service, of_tables
from infra.parts.firewall import add_firewall
from infra.parts.log_days import retention
from infra.parts.measure import namespace
from infra.parts.once import Once
from infra.parts.rights import may
from infra.parts.running import add_service
from infra.parts.scale import scale_edge, scale_inference, scale_usual, slots
from infra.parts.secrets import secrets_of
from infra.parts.task import Given, add_task
from infra.profiles import Profile
from infra.stacks.data import ADMINISTRATOR, DATABASE, DataStack
from infra.stacks.messaging import MessagingStack
from infra.stacks.network import NetworkStack
from infra.stacks.registry import IMAGE
from services.permissions import DECLARE
from services.roster import ROSTER, ServiceSpec


class ServicesStack(Stack):
    """One service per line of the roster. A new line needs nothing here, unless it has wishes of its own."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        profile: Profile,
        choices: Choices,
        network: NetworkStack,
        data: DataStack,
        messaging: MessagingStack,
        **rest: object,
    ) -> None:
        super().__init__(scope, name, **rest)
        self._profile, self._choices = profile, choices
        self._network, self._data, self._messaging = network, data, messaging
        self._place = Place(
            nats_urls=messaging.urls,
            replicas=profile.replicas,
            metrics_namespace=namespace(profile),
            database_host=data.database.cluster_endpoint.hostname,
            database_name=DATABASE,
        )
        self._log = logs.LogGroup(
            self, "Log", retention=retention(profile.log_days), removal_policy=RemovalPolicy.DESTROY
        )
        repository = ecr.Repository.from_repository_name(self, "Image", IMAGE)
        self._image = ecs.ContainerImage.from_ecr_repository(repository, choices.image_tag)
        self._migrated = self._once("migrate", of_tables(self._place, ADMINISTRATOR))
        self._declared = self._once("declare", self._bus(DECLARE)) if data.bus else None
        self.balancer = add_balancer(self, network.vpc, profile, choices)
        self.services = {spec.name: self._service(spec) for spec in ROSTER}
        self._serve_and_scale()
        if profile.firewall:
            add_firewall(self, self.balancer.balancer)
        CfnOutput(self, "Address", value=self.balancer.balancer.load_balancer_dns_name)

    def _bus(self, user: str) -> dict[str, str]:
        """What a user of the bus is told."""
        return common(self._place) | (keyed_environment(user) if self._data.bus else {})

    def _once(self, command: str, environment: dict[str, str]) -> Once:
        """`migrate` reaches the database and not the bus, `declare` the bus and not the database."""
        tables = command == "migrate"
        group = self._group(command, reaches_database=tables)
        if not tables:
            self._messaging.let_in(group, "ToNats", group)
        given = Given(self._image, self._log, environment, secrets_of(command, self._data, tables=tables))
        return Once(self, command, given, network=self._network, messaging=self._messaging, group=group)

    def _service(self, spec: ServiceSpec) -> ecs.FargateService:
        scope = Construct(self, spec.name)
        task = self._profile.task(spec.name)
        tables = spec.schema is not None
        environment = {
            **self._bus(spec.name),
            **(of_tables(self._place) if tables else {}),
            **of_service(spec.name, self._choices, slots(task.cpu)),
        }
        given = Given(self._image, self._log, environment, secrets_of(spec.name, self._data, tables=tables))
        definition = add_task(scope, spec.name, task, given)
        may(spec.name, definition.task_role, self._choices, self._messaging.cluster)
        group = self._group(spec.name, reaches_database=tables)
        self._messaging.let_in(scope, "ToNats", group)
        more = canary.strategy() if spec.name == "edge" else {}
        service = add_service(scope, task, definition, group, self._messaging.cluster, self._network, **more)
        if tables:
            service.node.add_dependency(self._migrated.done)
        if self._declared is not None:
            service.node.add_dependency(self._declared.done)
        return service

    def _group(self, name: str, *, reaches_database: bool) -> ec2.SecurityGroup:
        scope = Construct(self, f"{name}-network")
        group = ec2.SecurityGroup(
            scope, "Group", vpc=self._network.vpc, allow_all_outbound=False, description=f"Of {name}"
        )
        # Images, logs, secrets, model providers and the webhooks of users are HTTPS.
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS, model providers, webhooks")
        group.add_egress_rule(ec2.Peer.ipv4(self._network.vpc.vpc_cidr_block), ec2.Port.tcp(4222), "NATS")
        if reaches_database:
            group.add_egress_rule(ec2.Peer.ipv4(self._network.vpc.vpc_cidr_block), ec2.Port.tcp(5432), "The database")
            self._data.let_in(scope, "ToDatabase", group)
        return group

    def _serve_and_scale(self) -> None:
        profile, services = self._profile, self.services
        self.balancer.serve(services["edge"])
        watched = canary.watch(self, services["edge"], self.balancer, profile, self._network.alarms)
        self.unserved = watched
        """Alarms that rise when people are not served."""
        scale_edge(services["edge"], self.balancer, profile)
        scale_inference(services["inference"], profile)
        for name, service in services.items():
            if name not in ("edge", "inference"):
                scale_usual(service, profile, name)

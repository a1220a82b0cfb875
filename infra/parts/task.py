"""One service of the roster as a Fargate task: its image, settings, secrets, health check, and what it may not do."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.parts.confined import BUFFER, confine
from infra.parts.environment import EDGE_PORT
from infra.profiles import Task
from infra.timeouts import stop_timeout_seconds

USER = "10001:10001"
"""The one of the Dockerfile."""

EDGE_CHECK = """\
from http.client import HTTPConnection
connection = HTTPConnection("127.0.0.1", %d, timeout=8)
connection.request("GET", "/healthz")
raise SystemExit(connection.getresponse().status != 200)
"""
"""ECS replaces what is not healthy, so this asks whether the edge lives, and not (/readyz) whether all others do: one
worker that is away must not cost every edge its streams."""

KEEP_ALIVE = {"tcp_keepalive_time": 60, "tcp_keepalive_intvl": 15, "tcp_keepalive_probes": 4}
"""A NAT gateway forgets a connection that was silent for 350 s, such as one to a model that thinks."""


@dataclass(frozen=True)
class Given:
    """What a service gets from the other stacks."""

    image: ecs.ContainerImage
    log: logs.LogGroup
    environment: Mapping[str, str]
    secrets: Mapping[str, ecs.Secret]


def check_of(service: str) -> list[str]:
    """What ECS runs in the container to see that the service works."""
    if service == "edge":
        return ["CMD", "python", "-c", EDGE_CHECK % EDGE_PORT]
    return ["CMD", "python", "-m", "services", "healthy", service]


def add_task(scope: Construct, service: str, task: Task, given: Given) -> ecs.FargateTaskDefinition:
    """The tasks of a service; its role may do nothing until somebody says what."""
    definition = task_definition(scope, task)
    container = add_container(definition, service, ["python", "-m", "services", "run", service], given)
    definition.default_container = container
    return definition


def task_definition(scope: Construct, task: Task, family: str | None = None) -> ecs.FargateTaskDefinition:
    """Tasks of a size, with a role of their own."""
    return ecs.FargateTaskDefinition(
        scope,
        "Tasks",
        family=family,
        cpu=task.cpu,
        memory_limit_mib=task.memory_mib,
        task_role=iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com")),
        runtime_platform=ecs.RuntimePlatform(
            cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
        ),
    )


def add_container(
    definition: ecs.FargateTaskDefinition, name: str, command: list[str], given: Given, *, checked: bool = True
) -> ecs.ContainerDefinition:
    """Our image with a command. `checked`: it is a service that is asked for its health."""
    check = ecs.HealthCheck(
        command=check_of(name),
        interval=Duration.seconds(30),
        timeout=Duration.seconds(20),
        retries=10,  # the bus may be away for some minutes; to start everything anew would not bring it back
        start_period=Duration.seconds(60),
    )
    return definition.add_container(
        name,
        image=given.image,
        command=command,
        user=USER,
        readonly_root_filesystem=True,
        linux_parameters=confine(definition),
        environment=dict(given.environment),
        secrets=dict(given.secrets),
        stop_timeout=Duration.seconds(stop_timeout_seconds()),
        health_check=check if checked else None,
        port_mappings=[ecs.PortMapping(container_port=EDGE_PORT)] if name == "edge" else None,
        logging=ecs.LogDrivers.aws_logs(
            stream_prefix=name, log_group=given.log, mode=ecs.AwsLogDriverMode.NON_BLOCKING, max_buffer_size=BUFFER
        ),
        system_controls=[
            ecs.SystemControl(namespace=f"net.ipv4.{key}", value=str(value)) for key, value in KEEP_ALIVE.items()
        ],
    )

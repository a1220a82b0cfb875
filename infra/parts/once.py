"""What must be done before the services get their new version, by a task that runs once and must succeed: the database
is migrated and, where services may not do it themselves, the streams of the bus are declared.

CloudFormation starts it through a small function, whenever the image or its settings have changed, and waits. If it
fails the deployment goes back. Both only ever add (docs/runbook.md), so the services of before go on meanwhile.
"""

from pathlib import Path

from aws_cdk import CustomResource, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.parts.task import Given, add_container, task_definition
from infra.profiles import Task
from infra.stacks.messaging import MessagingStack
from infra.stacks.network import NetworkStack

RESOURCE = "Custom::StudioOnce"
LONGEST_SECONDS = 840
"""A function's own limit is 900."""
CODE = Path(__file__).with_name("once_function.py")


class Once(Construct):
    """A command, once per version; what depends on it waits for its end."""

    def __init__(
        self,
        scope: Construct,
        command: str,
        given: Given,
        *,
        network: NetworkStack,
        messaging: MessagingStack,
        group: ec2.SecurityGroup,
    ) -> None:
        super().__init__(scope, f"Once-{command}")
        definition = task_definition(self, Task())
        add_container(definition, command, ["python", "-m", "services", command], given, checked=False)
        function = self._function(definition, messaging, given.log)
        subnets = network.vpc.select_subnets(subnet_type=network.task_subnets).subnet_ids
        self.done = CustomResource(
            self,
            "Done",
            resource_type=RESOURCE,
            service_token=function.function_arn,
            properties={
                "Cluster": messaging.cluster.cluster_arn,
                "TaskDefinition": definition.task_definition_arn,  # another one for each version
                "Subnets": subnets,
                "SecurityGroups": [group.security_group_id],
                "PublicAddress": "ENABLED" if network.public_addresses else "DISABLED",
            },
        )
        policy = function.role.node.find_child("DefaultPolicy")
        self.done.node.add_dependency(policy)

    def _function(
        self, definition: ecs.FargateTaskDefinition, messaging: MessagingStack, log: logs.LogGroup
    ) -> lambda_.Function:
        function = lambda_.Function(
            self,
            "Start",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="index.handler",
            code=lambda_.Code.from_inline(CODE.read_text(encoding="utf-8")),
            timeout=Duration.seconds(LONGEST_SECONDS + 30),
            memory_size=128,
            environment={"LONGEST_SECONDS": str(LONGEST_SECONDS)},
            log_group=log,
            role=iam.Role(self, "StartRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")),
        )
        stack = Stack.of(self)
        cluster = messaging.cluster.cluster_arn
        in_cluster = {"ArnEquals": {"ecs:cluster": cluster}}
        family = f"arn:{stack.partition}:ecs:{stack.region}:{stack.account}"
        log.grant_write(function)
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["ecs:RunTask"], resources=[definition.task_definition_arn], conditions=in_cluster
            )
        )
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["ecs:DescribeTasks"],
                resources=[f"{family}:task/{messaging.cluster.cluster_name}/*"],
                conditions=in_cluster,
            )
        )
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=[stack.stack_id])
        )
        definition.task_role.grant_pass_role(function.role)
        definition.obtain_execution_role().grant_pass_role(function.role)
        return function

"""Work that other AWS systems start: InvokeModel, SaveResults, SendNotification."""

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.choices import Choices
from infra.parts.log_days import retention
from infra.parts.state_machine import add_state_machine
from infra.parts.task import Given, add_container, task_definition
from infra.parts.workflow_rights import may_work
from infra.profiles import Profile, Task
from infra.stacks.messaging import MessagingStack
from infra.stacks.network import NetworkStack
from infra.stacks.registry import IMAGE
from infra.stacks.services import ServicesStack

KEPT_DAYS = 30
CHECKPOINT_SECONDS = 300


class WorkflowStack(Stack):
    """A state machine whose first step is a task of our image, which calls the edge as any client does.

    It acts as the user in the secret `Token`, comes in by the balancer as everybody, and may do nothing on the bus, in
    the database or with a provider.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        profile: Profile,
        choices: Choices,
        network: NetworkStack,
        messaging: MessagingStack,
        services: ServicesStack,
        **rest: object,
    ) -> None:
        super().__init__(scope, name, **rest)
        days = retention(profile.log_days)
        log = logs.LogGroup(self, "Log", retention=days, removal_policy=RemovalPolicy.DESTROY)
        bucket = s3.Bucket(
            self,
            "Results",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(KEPT_DAYS))],
            removal_policy=RemovalPolicy.RETAIN,
        )
        token = secretsmanager.Secret(
            self, "Token", description="As whom workflows ask: what `python -m services token workflow` prints"
        )
        address = f"http://{services.balancer.balancer.load_balancer_dns_name}"
        url = choices.public_url if choices.certificate else address
        repository = ecr.Repository.from_repository_name(self, "Image", IMAGE)
        given = Given(
            ecs.ContainerImage.from_ecr_repository(repository, choices.image_tag),
            log,
            {
                "STUDIO_WORKFLOW_URL": url,
                "STUDIO_WORKFLOW_BUCKET": bucket.bucket_name,
                "STUDIO_WORKFLOW_CHECKPOINT_SECONDS": str(CHECKPOINT_SECONDS),
            },
            {"STUDIO_WORKFLOW_TOKEN": ecs.Secret.from_secrets_manager(token)},
        )
        definition = task_definition(self, Task(), self.stack_name)
        container = add_container(
            definition, "workflow-task", ["python", "-m", "services", "workflow-task"], given, checked=False
        )
        group = ec2.SecurityGroup(
            self, "Group", vpc=network.vpc, allow_all_outbound=False, description="Of the tasks of workflows"
        )
        for port in (443,) if choices.certificate else (443, 80):
            group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "AWS, and the edge by its balancer")
        self.ended = sns.Topic(self, "Ended", enforce_ssl=True)
        self.machine = add_state_machine(
            self,
            f"studio-{profile.name}-workflow",
            cluster=messaging.cluster,
            definition=definition,
            container=container,
            group=group,
            network=network,
            bucket=bucket,
            ended=self.ended,
            log=log,
            checkpoint_seconds=CHECKPOINT_SECONDS,
        )
        failed = events.Rule(
            self,
            "NotDone",
            description="A workflow failed, or took too long. Who started it hears it by the topic `Ended` as well.",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"status": ["FAILED", "TIMED_OUT"], "stateMachineArn": [self.machine.state_machine_arn]},
            ),
        )
        failed.add_target(targets.SnsTopic(network.alarms))
        may_work(definition.task_role, self.machine, bucket)
        CfnOutput(self, "MachineArn", value=self.machine.state_machine_arn)
        CfnOutput(self, "TokenName", value=token.secret_name)

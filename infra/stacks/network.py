"""The network, and the topic to which alarms go: what everything else stands on."""

from aws_cdk import Aws, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.choices import Choices
from infra.profiles import Profile

CIDR = "10.42.0.0/16"
TELLS = {
    "cloudwatch": f"cloudwatch:{Aws.REGION}:{Aws.ACCOUNT_ID}:alarm:*",
    "budgets": f"budgets::{Aws.ACCOUNT_ID}:*",
}
"""Services of AWS, and in whose name each publishes. A topic with a policy of its own forgets that it ever let alarms
in: without this they rise, and nobody hears it. The rules of EventBridge add themselves."""


class NetworkStack(Stack):
    """A VPC with subnets for the balancer, for tasks and for the database."""

    def __init__(self, scope: Construct, name: str, *, profile: Profile, choices: Choices, **rest: object) -> None:
        super().__init__(scope, name, **rest)
        zones = [f"{choices.region}{letter}" for letter in profile.zones]
        self.zones = zones
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(CIDR),
            availability_zones=zones,  # named, or CDK asks the account and needs credentials for it
            nat_gateways=len(zones) if profile.nat else 0,
            subnet_configuration=_subnets(profile),
            gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
            restrict_default_security_group=False,  # CDK has a Lambda function for it; nothing is in that group
        )
        self.task_subnets = ec2.SubnetType.PRIVATE_WITH_EGRESS if profile.nat else ec2.SubnetType.PUBLIC
        self.public_addresses = not profile.nat
        kept = logs.LogGroup(self, "Flows", retention=logs.RetentionDays.ONE_WEEK, removal_policy=RemovalPolicy.DESTROY)
        self.vpc.add_flow_log(
            "FlowLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(kept),
            traffic_type=ec2.FlowLogTrafficType.REJECT,  # who is refused; all traffic costs more than it tells
        )
        self.alarms = sns.Topic(self, "Alarms", enforce_ssl=True)
        for service, source in TELLS.items():
            self.alarms.add_to_resource_policy(_may_tell(self.alarms, service, source))
        if choices.alarm_email:
            self.alarms.add_subscription(subscriptions.EmailSubscription(choices.alarm_email))

    def selection(self, zone: str | None = None) -> ec2.SubnetSelection:
        """Where tasks run; in one zone, if it is named."""
        return ec2.SubnetSelection(subnet_type=self.task_subnets, availability_zones=[zone] if zone else None)


def _may_tell(topic: sns.ITopic, service: str, source: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["sns:Publish"],
        resources=[topic.topic_arn],
        principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
        conditions={
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            "ArnLike": {"aws:SourceArn": f"arn:{Aws.PARTITION}:{source}"},
        },
    )


def _subnets(profile: Profile) -> list[ec2.SubnetConfiguration]:
    subnets = [
        ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24),
        ec2.SubnetConfiguration(name="data", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24),
    ]
    if profile.nat:
        tasks = ec2.SubnetType.PRIVATE_WITH_EGRESS
        subnets.append(ec2.SubnetConfiguration(name="tasks", subnet_type=tasks, cidr_mask=22))
    return subnets

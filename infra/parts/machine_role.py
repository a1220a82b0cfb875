"""What the state machine itself may do. CDK would let it stop every task of the account."""

from aws_cdk import Aws
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

CHECKPOINTS, RESULTS = "checkpoints", "results"
"""Folders of the bucket."""

LOGGING = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
TRACING = (
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)


def machine_role(
    scope: Construct, cluster: ecs.ICluster, definition: ecs.FargateTaskDefinition, bucket: s3.Bucket, ended: sns.ITopic
) -> iam.Role:
    """Start its own tasks in one cluster, copy its own files, publish to its own topic."""
    role = iam.Role(scope, "MachineRole", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
    here = {"ArnEquals": {"ecs:cluster": cluster.cluster_arn}}
    ours = f"arn:{Aws.PARTITION}:ecs:{Aws.REGION}:{Aws.ACCOUNT_ID}"
    statements = [
        # A state names the family, so an attempt may have a newer revision than the one before.
        iam.PolicyStatement(
            actions=["ecs:RunTask"], resources=[f"{ours}:task-definition/{definition.family}:*"], conditions=here
        ),
        iam.PolicyStatement(
            actions=["ecs:DescribeTasks", "ecs:StopTask"],
            resources=[f"{ours}:task/{cluster.cluster_name}/*"],
            conditions=here,
        ),
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[definition.task_role.role_arn, definition.obtain_execution_role().role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
        iam.PolicyStatement(actions=["s3:GetObject"], resources=[bucket.arn_for_objects(f"{CHECKPOINTS}/*")]),
        iam.PolicyStatement(actions=["s3:PutObject"], resources=[bucket.arn_for_objects(f"{RESULTS}/*")]),
        iam.PolicyStatement(actions=["sns:Publish"], resources=[ended.topic_arn]),
        iam.PolicyStatement(actions=[*LOGGING, *TRACING], resources=["*"]),  # AWS knows no resource for them
    ]
    for statement in statements:
        role.add_to_policy(statement)
    return role

"""What the instance of a NATS node may do: be a part of its cluster, and take its own disk."""

from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.parts.nats_config import Node
from infra.parts.nats_place import NatsPlace

TAG = "studio-node"


def node_role(scope: Construct, node: Node, place: NatsPlace, disk: ec2.CfnVolume) -> iam.Role:
    """Images are pulled and logs written by the task's execution role, and not by this one."""
    role = iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
        managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("AmazonSSMManagedInstanceCore")],  # no SSH
    )
    says = iam.PolicyStatement(actions=["cloudformation:SignalResource"], resources=[Aws.STACK_ID])
    for statement in (*_agent(place), *_disk(node, disk), says):
        role.add_to_policy(statement)
    return role


def _agent(place: NatsPlace) -> list[iam.PolicyStatement]:
    cluster = place.cluster.cluster_arn
    instances = (
        f"arn:{Aws.PARTITION}:ecs:{Aws.REGION}:{Aws.ACCOUNT_ID}:container-instance/{place.cluster.cluster_name}/*"
    )
    return [
        iam.PolicyStatement(
            actions=[
                "ecs:DeregisterContainerInstance",
                "ecs:RegisterContainerInstance",
                "ecs:SubmitAttachmentStateChanges",
                "ecs:SubmitContainerStateChange",
                "ecs:SubmitTaskStateChange",
            ],
            resources=[cluster],
        ),
        iam.PolicyStatement(
            actions=["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"],
            resources=[instances],
            conditions={"ArnEquals": {"ecs:cluster": cluster}},
        ),
        iam.PolicyStatement(actions=["ecs:DiscoverPollEndpoint"], resources=["*"]),  # AWS knows no resource for it
    ]


def _disk(node: Node, disk: ec2.CfnVolume) -> list[iam.PolicyStatement]:
    ours = f"arn:{Aws.PARTITION}:ec2:{Aws.REGION}:{Aws.ACCOUNT_ID}"
    return [
        iam.PolicyStatement(actions=["ec2:AttachVolume"], resources=[f"{ours}:volume/{disk.ref}"]),
        iam.PolicyStatement(
            actions=["ec2:AttachVolume"],
            resources=[f"{ours}:instance/*"],  # its own is known only when it runs; the tag says which
            conditions={"StringEquals": {f"aws:ResourceTag/{TAG}": node.name}},
        ),
    ]

"""What the task of a workflow may do in AWS: hear what is asked, say how far it is, keep its checkpoint."""

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn

from infra.parts.machine_role import CHECKPOINTS


def may_work(role: iam.IRole, machine: sfn.StateMachine, bucket: s3.Bucket) -> None:
    """The policy is one of its own: the state machine needs the task, and the policy the state machine."""
    name = machine.state_machine_name
    executions = f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:execution:{name}:*"
    iam.Policy(
        Stack.of(machine),
        "Works",
        roles=[role],
        statements=[
            iam.PolicyStatement(
                actions=["states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat"],
                resources=[machine.state_machine_arn],
            ),
            iam.PolicyStatement(actions=["states:DescribeExecution"], resources=[executions]),
            iam.PolicyStatement(
                actions=["s3:GetObject", "s3:PutObject"], resources=[bucket.arn_for_objects(f"{CHECKPOINTS}/*")]
            ),
            # Without it S3 answers "forbidden" for a checkpoint that is not there yet.
            iam.PolicyStatement(actions=["s3:ListBucket"], resources=[bucket.bucket_arn]),
        ],
    )

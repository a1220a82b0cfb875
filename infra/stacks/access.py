"""Who may deploy a profile from GitHub. There is no such stack unless a repository is named."""

from aws_cdk import Aws, CfnOutput, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.choices import Choices
from infra.parts.github import for_environment, role_for
from infra.profiles import Profile

QUALIFIER = "hnb659fds"
"""Of `cdk bootstrap`, unless one is chosen there."""
NEEDED = ("deploy", "file-publishing")
"""Of its roles: one starts CloudFormation, which has a role of its own, and one uploads templates. Nothing here looks
anything up, and images are pushed by another role (infra/stacks/registry.py)."""


class AccessStack(Stack):
    """A role whose only right is to become the roles that `cdk bootstrap` has made."""

    def __init__(self, scope: Construct, name: str, *, profile: Profile, choices: Choices, **rest: object) -> None:
        super().__init__(scope, name, **rest)
        role = role_for(self, "Deploy", for_environment(choices, profile.name))
        ours = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/cdk-{QUALIFIER}"
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["sts:AssumeRole"],
                resources=[f"{ours}-{one}-role-{Aws.ACCOUNT_ID}-{Aws.REGION}" for one in NEEDED],
            )
        )
        CfnOutput(self, "DeployRole", value=role.role_arn)

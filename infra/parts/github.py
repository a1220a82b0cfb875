"""Workflows on GitHub sign in with what GitHub says they are. No key of AWS's is kept there."""

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.choices import Choices

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"


def trust_github(scope: Construct) -> None:
    """Once in an account."""
    iam.OidcProviderNative(scope, "GitHub", url=f"https://{ISSUER}", client_ids=[AUDIENCE])


def for_branch(choices: Choices) -> str:
    """The subject of a workflow that runs on the branch, and not on a pull request."""
    return f"repo:{choices.github_repository}:ref:refs/heads/{choices.github_branch}"


def for_environment(choices: Choices, name: str) -> str:
    """The subject of a job in that GitHub environment, which may ask a person first."""
    return f"repo:{choices.github_repository}:environment:{name}"


def role_for(scope: Construct, name: str, subject: str) -> iam.Role:
    """A role that a workflow takes whose whole subject is this one."""
    provider = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:oidc-provider/{ISSUER}"
    return iam.Role(
        scope,
        name,
        description=f"{Stack.of(scope).stack_name}: {subject}",
        assumed_by=iam.WebIdentityPrincipal(
            provider, {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subject}}
        ),
    )

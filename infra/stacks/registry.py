"""Where the images are: one repository for the product, one for NATS. Once for all profiles of an account.

Who may push them from GitHub is said here as well, if a GitHub repository is named.
"""

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from infra.choices import Choices
from infra.parts.github import for_branch, role_for, trust_github

IMAGE = "ai-studio"
NATS_IMAGE = "ai-studio-nats"

KEPT_IMAGES = 30
UNTAGGED_DAYS = 7


class RegistryStack(Stack):
    """Tags name one image for ever, so that a deployment can be gone back from."""

    def __init__(self, scope: Construct, name: str, *, choices: Choices, **rest: object) -> None:
        super().__init__(scope, name, **rest)
        kept = [self._repository(repository) for repository in (IMAGE, NATS_IMAGE)]
        if choices.github_repository:
            if choices.github_provider == "make":
                trust_github(self)
            pushes = role_for(self, "Push", for_branch(choices))
            for repository in kept:
                repository.grant_push(pushes)
            CfnOutput(self, "PushRole", value=pushes.role_arn)

    def _repository(self, name: str) -> ecr.Repository:
        return ecr.Repository(
            self,
            "".join(part.title() for part in name.split("-")),
            repository_name=name,
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                ecr.LifecycleRule(tag_status=ecr.TagStatus.UNTAGGED, max_image_age=Duration.days(UNTAGGED_DAYS)),
                ecr.LifecycleRule(tag_status=ecr.TagStatus.ANY, max_image_count=KEPT_IMAGES),
            ],
        )

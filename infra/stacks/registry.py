"""Where the images are: one repository for the product, one for NATS. Once for all profiles of an account."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from constructs import Construct

IMAGE = "ai-studio"
NATS_IMAGE = "ai-studio-nats"

KEPT_IMAGES = 30
UNTAGGED_DAYS = 7


class RegistryStack(Stack):
    """Tags name one image for ever, so that a deployment can be gone back from."""

    def __init__(self, scope: Construct, name: str, **rest: object) -> None:
        super().__init__(scope, name, **rest)
        for repository in (IMAGE, NATS_IMAGE):
            ecr.Repository(
                self,
                "".join(part.title() for part in repository.split("-")),
                repository_name=repository,
                image_scan_on_push=True,
                image_tag_mutability=ecr.TagMutability.IMMUTABLE,
                removal_policy=RemovalPolicy.RETAIN,
                lifecycle_rules=[
                    ecr.LifecycleRule(tag_status=ecr.TagStatus.UNTAGGED, max_image_age=Duration.days(UNTAGGED_DAYS)),
                    ecr.LifecycleRule(tag_status=ecr.TagStatus.ANY, max_image_count=KEPT_IMAGES),
                ],
            )

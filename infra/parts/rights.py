"""What the tasks of a service may do in AWS: nothing, but for three of them."""

from aws_cdk import Aws, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from infra.choices import Choices
from services.inference.catalogue import load_catalogue

EVERY_REGION = "*"
"""Amazon serves a model with a `global.` or `us.` name wherever there is room."""


def may(name: str, role: iam.IRole, choices: Choices, cluster: ecs.ICluster) -> None:
    """Give a service's role what the service does."""
    if name == "edge":
        role.add_to_principal_policy(_ask_about_itself(cluster))
    if name == "notifier" and choices.sender:
        role.add_to_principal_policy(_mail(choices))
    if name == "inference":
        models = bedrock_models()
        role.add_to_principal_policy(_models(models))


def bedrock_models() -> list[str]:
    """The models of Amazon Bedrock in the built-in catalogue, as Amazon names them."""
    catalogue = load_catalogue(environment={"AWS_REGION": "us-east-1"})
    return sorted({model.model for model in catalogue.models() if model.provider == "bedrock"})


def _ask_about_itself(cluster: ecs.ICluster) -> iam.PolicyStatement:
    """A task's own id is known when it runs; those of its cluster may be looked at."""
    return iam.PolicyStatement(
        actions=["ecs:DescribeTasks"],
        resources=[
            f"arn:{Aws.PARTITION}:ecs:{Stack.of(cluster).region}:{Aws.ACCOUNT_ID}:task/{cluster.cluster_name}/*"
        ],
        conditions={"ArnEquals": {"ecs:cluster": cluster.cluster_arn}},
    )


def _mail(choices: Choices) -> iam.PolicyStatement:
    identity = f"arn:{Aws.PARTITION}:ses:{Aws.REGION}:{Aws.ACCOUNT_ID}:identity/{choices.sender_domain}"
    return iam.PolicyStatement(
        actions=["ses:SendEmail", "ses:SendRawEmail"],
        resources=[identity],
        conditions={"StringEquals": {"ses:FromAddress": choices.sender_address}},
    )


def _models(models: list[str]) -> iam.PolicyStatement:
    ours = f"arn:{Aws.PARTITION}:bedrock:{Aws.REGION}:{Aws.ACCOUNT_ID}:inference-profile"
    resources = []
    for model in models:
        area, dot, bare = model.partition(".")
        if dot and area in {"global", "us", "eu", "apac", "jp", "au"}:
            resources.append(f"{ours}/{model}")
            model = bare
        resources.append(f"arn:{Aws.PARTITION}:bedrock:{EVERY_REGION}::foundation-model/{model}")
    return iam.PolicyStatement(
        actions=["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"], resources=resources
    )

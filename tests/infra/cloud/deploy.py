"""Every stack of a profile, in the order of their dependencies, made by moto."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.infra.cloud import connected, containers, stored, watched
from tests.infra.cloud.repairs import repair
from tests.infra.synthesized import CERTIFICATE, Synthesized

ORDER = ("Registry", "Access", "Network", "Data", "Messaging", "Services", "Workflow", "Observability")
CONFIG: Any = {
    "core": {"reset_boto3_session": True},
    "lambda": {"use_docker": False},
    "stepfunctions": {"execute_state_machine": True},
}
BUCKET = "templates"
IMAGE = "ami-12345678"


@dataclass(frozen=True)
class Deployed:
    """What is there afterwards."""

    region: str
    made: dict[str, set[str]]
    """By stack: the logical names of what was made."""
    status: dict[str, str]

    def client(self, service: str) -> Any:
        return boto3.client(service, region_name=self.region)


def assert_complete(there: Deployed, cloud: Synthesized, last: str = ORDER[-1]) -> None:
    """Every stack up to the last one, and every resource of it."""
    assert set(there.status) == set(_names(cloud, last))
    assert set(there.status.values()) == {"CREATE_COMPLETE"}
    for stack, made in there.made.items():
        assert made == set(cloud.templates[stack]["Resources"]), stack


def _names(cloud: Synthesized, last: str) -> list[str]:
    assert set(cloud.templates) <= set(ORDER)
    return [name for name in ORDER[: ORDER.index(last) + 1] if name in cloud.templates]


@contextmanager
def deployed(
    cloud: Synthesized, change: Callable[[str], str] = lambda text: text, last: str = ORDER[-1]
) -> Iterator[Deployed]:
    """Make everything up to a stack in an account of its own; `change` is for times that a test cannot wait for."""
    region = cloud.choices.region
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", region)
        for types in (containers, stored, connected, watched):
            types.add()
        repair()
        with mock_aws(config=CONFIG):
            yield _make(cloud, region, change, last)


def _make(cloud: Synthesized, region: str, change: Callable[[str], str], last: str) -> Deployed:
    boto3.client("s3", region_name=region).create_bucket(Bucket=BUCKET)
    certificate = _certificate(region)
    made, status = {}, {}
    for name in _names(cloud, last):
        _parameters(cloud.templates[name], region)
        body = change(json.dumps(cloud.templates[name]).replace(CERTIFICATE, certificate))
        made[name], status[name] = _stack(_full_name(cloud, name), body, region)
    return Deployed(region, made, status)


def _full_name(cloud: Synthesized, name: str) -> str:
    return f"Studio-{name}" if name == "Registry" else f"Studio-{cloud.profile.name}-{name}"


def _stack(name: str, body: str, region: str) -> tuple[set[str], str]:
    boto3.client("s3", region_name=region).put_object(Bucket=BUCKET, Key=name, Body=body.encode())
    cloudformation = boto3.client("cloudformation", region_name=region)
    cloudformation.create_stack(
        StackName=name,
        TemplateURL=f"https://{BUCKET}.s3.amazonaws.com/{name}",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    return {resource["LogicalResourceId"] for resource in resources if "LogicalResourceId" in resource}, stack[
        "StackStatus"
    ]


def _parameters(template: dict[str, Any], region: str) -> None:
    """What AWS keeps in every account, and what `cdk bootstrap` has put there."""
    ssm = boto3.client("ssm", region_name=region)
    for name, parameter in template.get("Parameters", {}).items():
        if parameter["Type"].startswith("AWS::SSM"):
            if name != "BootstrapVersion":
                try:
                    ssm.get_parameter(Name=parameter["Default"])
                    continue
                except ssm.exceptions.ParameterNotFound:
                    pass
            value = "21" if name == "BootstrapVersion" else IMAGE
            ssm.put_parameter(Name=parameter["Default"], Value=value, Type="String", Overwrite=True)


def _certificate(region: str) -> str:
    from tests.infra.cloud.certificate import self_signed

    chain, key = self_signed()
    acm = boto3.client("acm", region_name=region)
    return str(acm.import_certificate(Certificate=chain, PrivateKey=key)["CertificateArn"])

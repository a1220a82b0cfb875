"""The function that runs a task once: what it tells CloudFormation when the task ends well, badly, or not."""

import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from infra.parts.once import CODE
from tests.infra.synthesized import Synthesized

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/Studio-prod-Services/1"
ASKED = {
    "Cluster": "cluster",
    "TaskDefinition": "migrate:7",
    "Subnets": ["subnet-1"],
    "SecurityGroups": ["sg-1"],
    "PublicAddress": "DISABLED",
}


class Aws:
    """ECS with one task, and CloudFormation with one stack."""

    def __init__(self, statuses: list[str], code: int | None = 0, stack: str = "UPDATE_IN_PROGRESS") -> None:
        self._statuses, self._code, self._stack = statuses, code, stack
        self.started: list[dict[str, Any]] = []
        self.told: list[tuple[str, str]] = []

    def client(self, _: str) -> "Aws":
        return self

    def run_task(self, **asked: Any) -> dict[str, Any]:
        self.started.append(asked)
        if not self._statuses:
            return {"tasks": [], "failures": [{"reason": "no capacity"}]}
        return {"tasks": [{"taskArn": "task"}], "failures": []}

    def describe_tasks(self, **_: Any) -> dict[str, Any]:
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        return {"tasks": [{"lastStatus": status, "containers": [{"exitCode": self._code}], "stoppedReason": "ended"}]}

    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        return {"Stacks": [{"StackStatus": self._stack}]}

    def send(self, event: Any, context: Any, status: str, data: Any, ident: str, reason: str = "") -> None:
        self.told.append((status, reason))


def handled(aws: Aws, monkeypatch: pytest.MonkeyPatch, kind: str = "Update") -> Aws:
    response = ModuleType("cfnresponse")
    vars(response).update(SUCCESS="SUCCESS", FAILED="FAILED", send=aws.send)
    monkeypatch.setitem(sys.modules, "cfnresponse", response)
    monkeypatch.setitem(sys.modules, "boto3", SimpleNamespace(client=aws.client))  # type: ignore[arg-type]
    monkeypatch.delitem(sys.modules, "infra.parts.once_function", raising=False)
    function: Any = importlib.import_module("infra.parts.once_function")
    monkeypatch.setattr(function, "POLL_SECONDS", 0)
    monkeypatch.setenv("LONGEST_SECONDS", "0.2")
    function.handler({"RequestType": kind, "StackId": STACK, "ResourceProperties": ASKED}, None)
    monkeypatch.delitem(sys.modules, "infra.parts.once_function")
    assert len(aws.told) == 1
    return aws


def test_a_migration_that_ends_well_lets_the_deployment_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = handled(Aws(["PENDING", "RUNNING", "STOPPED"]), monkeypatch)
    assert aws.told == [("SUCCESS", "")]
    (asked,) = aws.started
    assert asked["taskDefinition"] == "migrate:7"
    assert asked["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"


@pytest.mark.parametrize(
    ("aws", "reason"),
    [
        (Aws(["STOPPED"], code=1), "failed"),
        (Aws(["STOPPED"], code=None), "failed"),  # it never came to run
        (Aws([]), "no capacity"),
        (Aws(["RUNNING"]), "does not end"),
    ],
)
def test_one_that_does_not_takes_the_deployment_back_and_says_why(
    aws: Aws, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((status, said),) = handled(aws, monkeypatch).told
    assert status == "FAILED"
    assert reason in said


def test_nothing_is_migrated_when_a_stack_goes_or_a_deployment_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not handled(Aws(["STOPPED"]), monkeypatch, "Delete").started
    undone = handled(Aws(["STOPPED"], code=1, stack="UPDATE_ROLLBACK_IN_PROGRESS"), monkeypatch)
    assert not undone.started
    assert undone.told == [("SUCCESS", "")]


def test_it_fits_into_a_template(cloud: Synthesized) -> None:
    functions = cloud.named("AWS::Lambda::Function").values()
    assert len(functions) == (2 if cloud.profile.bus_keys else 1)
    for function in functions:
        assert function["Code"]["ZipFile"] == CODE.read_text()
        assert len(function["Code"]["ZipFile"]) < 4096
        assert function["Handler"] == "index.handler"

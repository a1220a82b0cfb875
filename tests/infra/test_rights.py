"""Who may do what: each thing by its name, on what is ours."""

import re
from typing import Any

from infra.parts.machine_role import LOGGING, TRACING
from infra.parts.rights import bedrock_models
from tests.infra.synthesized import Synthesized, as_list

WITHOUT_RESOURCE = {
    # AWS knows no resource for them.
    "ecr:GetAuthorizationToken",
    "ecs:DiscoverPollEndpoint",
    *LOGGING,
    *TRACING,
}
NARROWED = re.compile(r"^[a-z0-9-]+:[A-Za-z]+$")


def test_no_action_has_a_wildcard(cloud: Synthesized) -> None:
    for name, statement in cloud.policies():
        for action in as_list(statement["Action"]):
            assert NARROWED.match(action), (name, action)


def test_what_is_allowed_on_everything_has_no_resource_to_name(cloud: Synthesized) -> None:
    for name, statement in cloud.policies():
        if "*" in as_list(statement["Resource"]):
            assert set(as_list(statement["Action"])) <= WITHOUT_RESOURCE, (name, statement)


def test_services_may_do_nothing_in_aws_but_what_three_of_them_do(cloud: Synthesized) -> None:
    roles = {name: task["TaskRoleArn"]["Fn::GetAtt"][0] for name, task in cloud.tasks().items()}
    allowed: dict[str, list[Any]] = {name: [] for name in roles}
    for _, _, policy in cloud.all("AWS::IAM::Policy"):
        for name, role in roles.items():
            if {"Ref": role} in policy["Roles"]:
                allowed[name] += policy["PolicyDocument"]["Statement"]
    able = {name: statements for name, statements in allowed.items() if statements}
    assert set(able) == {"edge", "notifier", "inference", "workflow-task"}
    (look,) = able["edge"]
    assert look["Action"] == "ecs:DescribeTasks"
    assert "Cluster" in str(look["Condition"]["ArnEquals"]["ecs:cluster"])
    (mail,) = able["notifier"]
    assert mail["Condition"]["StringEquals"]["ses:FromAddress"] == "studio@mail.example"
    assert "identity/mail.example" in str(mail["Resource"])


def test_workers_may_call_the_models_of_the_catalogue_and_no_others(cloud: Synthesized) -> None:
    (statement,) = (one for _, one in cloud.policies() if "bedrock" in str(one["Action"]))
    assert bedrock_models()
    for model in bedrock_models():
        assert model in str(statement["Resource"])
    assert len(as_list(statement["Resource"])) <= 2 * len(bedrock_models())


def test_only_aws_and_the_named_workflows_take_the_roles(cloud: Synthesized) -> None:
    for name, role in cloud.named("AWS::IAM::Role").items():
        for statement in role["AssumeRolePolicyDocument"]["Statement"]:
            # Who signs in from elsewhere: tests/infra/test_access.py.
            assert set(statement["Principal"]) == {"Federated" if name.startswith(("Push", "Deploy")) else "Service"}


def test_managed_policies_are_those_that_ecs_itself_asks_for(cloud: Synthesized) -> None:
    found = re.findall(r"policy/[\w/-]+", str(cloud.named("AWS::IAM::Role")))
    assert set(found) <= {
        "policy/AmazonSSMManagedInstanceCore",
        "policy/AmazonECSInfrastructureRolePolicyForLoadBalancers",
        "policy/service-role/AmazonECSInfrastructureRolePolicyForVolumes",
    }

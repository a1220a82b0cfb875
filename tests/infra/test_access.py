"""Workflows on GitHub: those of one repository, one branch to push images, one environment to deploy; nothing else."""

import re
from dataclasses import replace
from typing import Any

import pytest

from infra.choices import ChoiceError, Choices
from infra.profiles import PROFILES
from tests.infra.synthesized import CHOICES, Resource, Synthesized, as_list

SUBJECT, AUDIENCE = (f"token.actions.githubusercontent.com:{claim}" for claim in ("sub", "aud"))


def role(cloud: Synthesized, stack: str) -> tuple[Resource, list[Resource]]:
    """Whom it trusts, and what it may do."""
    (trust,) = (role for where, _, role in cloud.all("AWS::IAM::Role") if where == stack)
    (policy,) = (policy for where, _, policy in cloud.all("AWS::IAM::Policy") if where == stack)
    (trusted,) = trust["AssumeRolePolicyDocument"]["Statement"]
    return trusted, policy["PolicyDocument"]["Statement"]


@pytest.mark.parametrize("stack", ["Registry", "Access"])
def test_a_workflow_is_known_by_its_whole_name(cloud: Synthesized, stack: str) -> None:
    trusted, _ = role(cloud, stack)
    assert trusted["Action"] == "sts:AssumeRoleWithWebIdentity"
    of_whom = "ref:refs/heads/main" if stack == "Registry" else f"environment:{cloud.profile.name}"
    wanted = {SUBJECT: f"repo:someone/ai-studio:{of_whom}", AUDIENCE: "sts.amazonaws.com"}
    assert trusted["Condition"] == {"StringEquals": wanted}  # and not StringLike


def test_who_deploys_may_become_the_roles_of_the_bootstrap_and_do_nothing_itself(cloud: Synthesized) -> None:
    _, (allowed,) = role(cloud, "Access")
    assert allowed["Action"] == "sts:AssumeRole"
    assert "*" not in str(allowed["Resource"])
    assert cdk_roles(allowed["Resource"]) == {"deploy", "file-publishing"}


def cdk_roles(resources: list[Any]) -> set[str]:
    return set(re.findall(r":role/cdk-hnb659fds-([a-z-]+)-role-", str(resources)))


def test_they_are_the_roles_that_this_app_deploys_with(cloud: Synthesized) -> None:
    """CDK writes down whom it becomes. It looks nothing up, and CloudFormation itself has the role for executing."""
    written = [cloud.folder / "manifest.json", *cloud.folder.glob("*.assets.json")]
    became = set(re.findall(r"cdk-hnb659fds-([a-z-]+)-role-", " ".join(path.read_text() for path in written)))
    _, (allowed,) = role(cloud, "Access")
    assert cdk_roles(allowed["Resource"]) == became - {"lookup", "cfn-exec"}


def test_who_pushes_images_does_so_into_the_two_repositories(cloud: Synthesized) -> None:
    _, allowed = role(cloud, "Registry")
    repositories = set(cloud.named("AWS::ECR::Repository"))
    for statement in allowed:
        actions = as_list(statement["Action"])
        assert all(action.startswith("ecr:") and "Delete" not in action for action in actions)
        if statement["Resource"] == "*":
            assert actions == ["ecr:GetAuthorizationToken"]
        else:
            assert {one["Fn::GetAtt"][0] for one in as_list(statement["Resource"])} <= repositories


def test_without_a_repository_nobody_comes_from_there(without_credentials: None) -> None:
    from infra.app import add_stacks, make_app

    for choices, stacks in ((replace(CHOICES, github_repository=""), 7), (CHOICES, 8)):
        app = make_app()
        add_stacks(app, PROFILES["small"], choices)
        assert len(app.node.children) == stacks


@pytest.mark.parametrize(
    "choice",
    [
        {"github_repository": "someone"},
        {"github_repository": "someone/*"},
        {"github_branch": "release/*"},
        {"github_provider": "maybe"},
    ],
)
def test_a_name_for_several_is_refused(choice: dict[str, str]) -> None:
    with pytest.raises(ChoiceError, match=next(iter(choice))):
        Choices(image_tag="git-1", **choice)

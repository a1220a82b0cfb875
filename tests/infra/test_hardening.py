"""A container has what it needs: not root, nothing to write, no capability, no secret that can be read from outside."""

import re

from infra.timeouts import LONGEST_STOP_SECONDS
from kit.runtime.process import stop_seconds
from kit.settings import Settings
from kit.telemetry.setup import FLUSH_SECONDS
from tests.infra.synthesized import Synthesized, environment_of

SECRET = re.compile("SECRET|PASSWORD|TOKEN|SEED|(^|_)KEY")


def test_no_container_is_root_or_can_write_or_has_a_capability(cloud: Synthesized) -> None:
    found = [one for _, _, task in cloud.all("AWS::ECS::TaskDefinition") for one in task["ContainerDefinitions"]]
    assert len(found) > 6
    for container in found:
        name = container["Name"]
        assert int(container["User"].partition(":")[0]) > 0, name
        assert container["ReadonlyRootFilesystem"] is True, name
        assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}, name
        assert [mount["ContainerPath"] for mount in container["LinuxParameters"]["Tmpfs"]] == ["/tmp"], name
        assert not container.get("Privileged"), name


def test_the_user_is_the_one_of_the_image(cloud: Synthesized) -> None:
    from pathlib import Path

    (user,) = re.findall(r"^USER (\S+)$", (Path(__file__).parents[2] / "Dockerfile").read_text(), re.MULTILINE)
    assert {container["User"] for container in cloud.containers().values()} == {user}


def test_no_secret_stands_in_a_template(cloud: Synthesized) -> None:
    for name, container in cloud.containers().items():
        assert not [one for one in environment_of(container) if SECRET.search(one)], name
        for secret in container.get("Secrets", []):
            assert "Ref" in str(secret["ValueFrom"]) or "ImportValue" in str(secret["ValueFrom"]), name
    for made in cloud.named("AWS::SecretsManager::Secret").values():
        assert "SecretString" not in made


def test_the_administrators_password_is_made_and_changed_by_the_database_itself(cloud: Synthesized) -> None:
    """Only what reads it anew at each start may be given one that changes by itself: the migration, and nobody else."""
    assert cloud.only("AWS::RDS::DBCluster")["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in cloud.only("AWS::RDS::DBCluster")
    given = {name for name, one in cloud.containers().items() if "MasterUserSecret" in str(one.get("Secrets"))}
    assert given == {"migrate"}
    assert not cloud.named("AWS::SecretsManager::RotationSchedule")


def test_a_container_has_time_to_stop(cloud: Synthesized) -> None:
    needed = stop_seconds(Settings()) + FLUSH_SECONDS
    for name, container in cloud.containers().items():
        assert needed < container["StopTimeout"] <= LONGEST_STOP_SECONDS, name


def test_the_image_is_one_for_all_and_named_by_its_tag(cloud: Synthesized) -> None:
    images = {str(container["Image"]) for container in cloud.containers().values()}
    assert len(images) == 1
    assert ":git-0123abc" in images.pop()


def test_tasks_are_arm(cloud: Synthesized) -> None:
    for name, task in cloud.tasks().items():
        assert task["RuntimePlatform"]["CpuArchitecture"] == "ARM64", name


def test_instances_give_their_role_to_nobody_who_cannot_ask_properly(cloud: Synthesized) -> None:
    for template in cloud.named("AWS::EC2::LaunchTemplate").values():
        assert template["LaunchTemplateData"]["MetadataOptions"]["HttpTokens"] == "required"
        assert "ECS_AWSVPC_BLOCK_IMDS=true" in str(template["LaunchTemplateData"]["UserData"])


def test_logs_end_some_day(cloud: Synthesized) -> None:
    groups = cloud.named("AWS::Logs::LogGroup")
    assert groups
    assert all(group["RetentionInDays"] for group in groups.values())

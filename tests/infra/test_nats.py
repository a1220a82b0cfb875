"""The nodes: real configurations for a real server, each with a name and a disk that stay."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra.parts.nats_config import MAX_PAYLOAD_BYTES, STORE
from kit.bus.streams import MAX_MESSAGE_BYTES
from kit.runtime.embedded_nats import find_nats_server
from tests.infra.synthesized import Resource, Synthesized, environment_of


def nodes(cloud: Synthesized) -> list[Resource]:
    return [
        task["ContainerDefinitions"][0]
        for stack, _, task in cloud.all("AWS::ECS::TaskDefinition")
        if stack == "Messaging"
    ]


def test_a_real_server_takes_the_configuration(cloud: Synthesized, tmp_path: Path) -> None:
    assert len(nodes(cloud)) == cloud.profile.nats_nodes
    for number, node in enumerate(nodes(cloud)):
        text = environment_of(node)["NATS_CONFIG"].replace(STORE, str(tmp_path / "js"))
        file = tmp_path / f"{number}.conf"
        file.write_text(text)
        done = subprocess.run([find_nats_server(), "-t", "-c", file], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert ("cluster {" in text) == (cloud.profile.nats_nodes > 1)
        assert 'sync_interval: "100ms"' in text
    assert MAX_PAYLOAD_BYTES > MAX_MESSAGE_BYTES


def test_in_production_there_is_one_in_each_zone_with_a_disk_there(prod: Synthesized) -> None:
    zones = {volume["AvailabilityZone"] for volume in prod.named("AWS::EC2::Volume").values()}
    assert len(zones) == 3
    names = {text.partition("server_name: ")[2].partition("\n")[0] for text in configs(prod)}
    assert names == {"nats-0", "nats-1", "nats-2"}
    assert all(text.count("nats-route://") == 3 for text in configs(prod))
    tags = {text.partition("server_tags: ")[2].partition("\n")[0] for text in configs(prod)}
    assert len(tags) == 3


def test_a_disk_outlives_its_instance_and_the_stack(prod: Synthesized) -> None:
    resources = prod.templates["Messaging"]["Resources"].values()
    volumes = [resource for resource in resources if resource["Type"] == "AWS::EC2::Volume"]
    assert len(volumes) == 3
    assert all(volume["DeletionPolicy"] == volume["UpdateReplacePolicy"] == "Snapshot" for volume in volumes)
    groups = prod.named("AWS::AutoScaling::AutoScalingGroup").values()
    assert [(group["MinSize"], group["MaxSize"]) for group in groups] == [("1", "1")] * 3


def test_the_switch_puts_them_on_fargate_and_no_instance_is_left(all_fargate: Synthesized) -> None:
    assert not all_fargate.named("AWS::EC2::LaunchTemplate")
    assert not all_fargate.named("AWS::EC2::Volume")
    services = [service for stack, _, service in all_fargate.all("AWS::ECS::Service") if stack == "Messaging"]
    assert len(services) == 3
    for service in services:
        (volume,) = service["VolumeConfigurations"]
        assert volume["ManagedEBSVolume"]["Encrypted"] is True
        assert service["LaunchType"] == "FARGATE"


def configs(cloud: Synthesized) -> list[str]:
    return [environment_of(node)["NATS_CONFIG"] for node in nodes(cloud)]


@pytest.mark.skipif(sys.platform == "win32", reason="the official image is Linux")
def test_the_command_writes_the_configuration_as_it_is(prod: Synthesized) -> None:
    command = nodes(prod)[0]["Command"]
    shown = command[-1].replace("exec nats-server --config /tmp/nats.conf", 'printf ""').replace("> /tmp/nats.conf", "")
    done = subprocess.run(["sh", "-c", shown], env={"NATS_CONFIG": configs(prod)[0]}, capture_output=True, check=True)
    assert done.stdout.decode() == configs(prod)[0]

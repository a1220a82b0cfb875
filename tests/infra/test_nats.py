"""The nodes: real configurations for a real server, each with a name and a disk that stay."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.bus_keys import bus_keys
from infra.bus_names import SERVERS, node_hosts
from infra.parts.nats_config import MAX_PAYLOAD_BYTES
from kit.bus.streams import MAX_MESSAGE_BYTES
from kit.runtime.embedded_nats import find_nats_server
from tests.fixtures.aws_bus import kept_in
from tests.infra.synthesized import Resource, Synthesized, environment_of


def nodes(cloud: Synthesized) -> list[Resource]:
    return [
        task["ContainerDefinitions"][0]
        for stack, _, task in cloud.all("AWS::ECS::TaskDefinition")
        if stack == "Messaging"
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="the official image is Linux")
def test_the_command_writes_files_that_a_real_server_takes(cloud: Synthesized, tmp_path: Path) -> None:
    """Three that run: tests/infra/test_bus_keys.py."""
    made = bus_keys({}, node_hosts(cloud.profile))[SERVERS]
    assert len(nodes(cloud)) == cloud.profile.nats_nodes
    for number, node in enumerate(nodes(cloud)):
        folder = tmp_path / str(number)
        folder.mkdir()
        told = environment_of(node)
        told |= {secret["Name"]: made[field_of(secret)] for secret in node.get("Secrets", [])}
        *shell, command = node["Command"]
        command = command.replace("exec nats-server --config", f"exec {find_nats_server()} -t --config")
        assert command != node["Command"][-1]
        told["NATS_CONFIG"] = kept_in(folder, told["NATS_CONFIG"])
        done = subprocess.run([*shell, kept_in(folder, command)], env=told, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert (folder / "nats.conf").read_text() == told["NATS_CONFIG"]
        assert (folder / "nats.conf").stat().st_mode & 0o077 == 0
        assert ("cluster {" in told["NATS_CONFIG"]) == (cloud.profile.nats_nodes > 1)
        assert ("authorization {" in told["NATS_CONFIG"]) == cloud.profile.bus_keys == bool(node.get("Secrets"))
        assert 'sync_interval: "100ms"' in told["NATS_CONFIG"]
    assert MAX_PAYLOAD_BYTES > MAX_MESSAGE_BYTES


def field_of(secret: Resource) -> str:
    """The field of a secret that a variable gets."""
    (field,) = re.findall(r"':([a-z]+)::'", str(secret["ValueFrom"]))
    return str(field)


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


def test_one_is_renewed_after_the_other(prod: Synthesized, all_fargate: Synthesized) -> None:
    """CloudFormation changes at the same time whatever does not wait for something else."""
    for cloud in (prod, all_fargate):
        resources = cloud.templates["Messaging"]["Resources"]
        for kind in ("AWS::ECS::Service", "AWS::AutoScaling::AutoScalingGroup"):
            for number in (1, 2):
                before = {name for name in resources if name.startswith(f"nats{number - 1}Service")}
                for name in (name for name in resources if name.startswith(f"nats{number}")):
                    if resources[name]["Type"] == kind:
                        assert before & set(resources[name]["DependsOn"]), name


def test_an_instance_is_renewed_only_when_the_node_on_it_works(prod: Synthesized) -> None:
    resources = prod.templates["Messaging"]["Resources"]
    groups = {name: one for name, one in resources.items() if one["Type"] == "AWS::AutoScaling::AutoScalingGroup"}
    assert len(groups) == 3
    for name, group in groups.items():
        policy = group["UpdatePolicy"]["AutoScalingRollingUpdate"]
        assert (policy["WaitOnResourceSignals"], policy["MinInstancesInService"]) == (True, 0)
        assert "CreationPolicy" not in group  # at first there is no service yet that could start the node
        said = [
            json.dumps(template["LaunchTemplateData"]["UserData"])
            for template in prod.named("AWS::EC2::LaunchTemplate").values()
        ]
        assert len([text for text in said if f"--logical-resource-id {name} " in text]) == 1
    allowed = [one for _, one in prod.policies() if one["Action"] == "cloudformation:SignalResource"]
    assert [one["Resource"] for one in allowed] == [{"Ref": "AWS::StackId"}] * 3


@pytest.mark.skipif(sys.platform == "win32", reason="instances are Linux")
def test_an_instance_waits_for_its_node_before_it_says_so(prod: Synthesized, tmp_path: Path) -> None:
    template = next(iter(prod.named("AWS::EC2::LaunchTemplate").values()))
    parts = template["LaunchTemplateData"]["UserData"]["Fn::Base64"]["Fn::Join"][1]
    script = "".join(part if isinstance(part, str) else "here" for part in parts)
    (line,) = (line for line in script.splitlines() if "signal-resource" in line)
    assert line.endswith("&")
    programs = {
        # Nothing at first; a container when it is asked for the third time.
        "docker": f'echo "$@" >> {tmp_path}/asked; [ "$(wc -l < {tmp_path}/asked)" -lt 3 ] || echo 0123abc',
        "sleep": f"test ! -e {tmp_path}/told",
        "aws": f'echo "$@" >> {tmp_path}/told',
    }
    for name, does in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    told = {"PATH": f"{tmp_path}:/usr/bin:/bin", "instance": "i-0123"}
    subprocess.run(["sh", "-c", line.replace("/var/log", str(tmp_path))[:-1]], env=told, check=True, timeout=30)
    assert (tmp_path / "asked").read_text().count("health=healthy") == 3
    assert "--unique-id i-0123 --status SUCCESS" in (tmp_path / "told").read_text()


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

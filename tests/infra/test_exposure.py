"""The internet reaches the balancer, the balancer the edge, the services NATS, and those with tables the database."""

from typing import Any

from infra.parts.balancer import TEST_PORT
from infra.parts.environment import EDGE_PORT
from services.roster import ROSTER
from tests.infra.synthesized import Synthesized

EVERYBODY = ("0.0.0.0/0", "::/0")


def doors(cloud: Synthesized) -> list[tuple[str, str, dict[str, Any]]]:
    """Stack, group and rule of everything that is let in."""
    found = [
        (stack, name, rule)
        for stack, name, group in cloud.all("AWS::EC2::SecurityGroup")
        for rule in group.get("SecurityGroupIngress", [])
    ]
    for stack, name, rule in cloud.all("AWS::EC2::SecurityGroupIngress"):
        found.append((stack, name, rule))
    return found


def test_only_the_balancer_is_open_to_everybody_and_only_where_people_come(cloud: Synthesized) -> None:
    opened = {(name[:8], rule["FromPort"]) for _, name, rule in doors(cloud) if rule.get("CidrIp") in EVERYBODY}
    assert opened == {("Balancer", 80), ("Balancer", 443)}
    assert not [rule for _, _, rule in doors(cloud) if rule.get("CidrIpv6")]


def test_everything_else_is_let_in_by_who_it_is(cloud: Synthesized) -> None:
    for _, name, rule in doors(cloud):
        if rule.get("CidrIp") not in EVERYBODY:
            assert "SourceSecurityGroupId" in rule, name
            assert rule["FromPort"] == rule["ToPort"] != -1, name


def test_each_service_reaches_nats_and_those_with_tables_the_database(cloud: Synthesized) -> None:
    ports = [rule["FromPort"] for stack, _, rule in doors(cloud) if stack == "Services"]
    assert ports.count(4222) == len(ROSTER) + cloud.profile.bus_keys  # and who declares the streams
    assert ports.count(5432) == len([spec for spec in ROSTER if spec.schema]) + 1  # and the migration
    assert ports.count(EDGE_PORT) == 1


def test_the_database_has_no_way_out_and_no_public_address(cloud: Synthesized) -> None:
    for instance in cloud.named("AWS::RDS::DBInstance").values():
        assert instance.get("PubliclyAccessible") is not True
    (group,) = (group for stack, _, group in cloud.all("AWS::EC2::SecurityGroup") if stack == "Data")
    assert all(rule["CidrIp"] == "255.255.255.255/32" for rule in group["SecurityGroupEgress"])


def test_people_speak_tls_and_who_does_not_is_sent_there(cloud: Synthesized) -> None:
    listeners = {one["Port"]: one for one in cloud.named("AWS::ElasticLoadBalancingV2::Listener").values()}
    assert set(listeners) == {80, 443, TEST_PORT}
    assert listeners[443]["SslPolicy"].startswith("ELBSecurityPolicy-TLS13")
    assert listeners[80]["DefaultActions"][0]["RedirectConfig"]["Protocol"] == "HTTPS"


def test_in_production_no_task_has_a_public_address(prod: Synthesized, small: Synthesized) -> None:
    def addresses(cloud: Synthesized) -> set[str]:
        configured = [one["NetworkConfiguration"]["AwsvpcConfiguration"] for one in cloud.services().values()]
        return {one["AssignPublicIp"] for one in configured}

    assert addresses(prod) == {"DISABLED"}
    assert addresses(small) == {"ENABLED"}  # instead of a NAT gateway; no group lets anybody in


def test_nothing_is_stored_in_the_clear(cloud: Synthesized) -> None:
    assert cloud.only("AWS::RDS::DBCluster")["StorageEncrypted"] is True
    for volume in cloud.named("AWS::EC2::Volume").values():
        assert volume["Encrypted"] is True
    for template in cloud.named("AWS::EC2::LaunchTemplate").values():
        (device,) = template["LaunchTemplateData"]["BlockDeviceMappings"]
        assert device["Ebs"]["Encrypted"] is True

"""A bad version is taken back by itself, the edge's after a tenth of the traffic, and that takes under an hour."""

from infra.parts.canary import BAKE_MINUTES, SHARE_MINUTES
from infra.timeouts import DEREGISTRATION_SECONDS
from tests.infra.synthesized import Synthesized

START_AND_HEALTH_MINUTES = 5


def test_the_edge_gets_a_tenth_of_the_traffic_first_and_alarms_take_it_back(cloud: Synthesized) -> None:
    deployment = cloud.services()["edge"]["DeploymentConfiguration"]
    assert deployment["Strategy"] == "CANARY"
    assert deployment["CanaryConfiguration"] == {"CanaryPercent": 10, "CanaryBakeTimeInMinutes": SHARE_MINUTES}
    assert deployment["BakeTimeInMinutes"] == BAKE_MINUTES
    assert deployment["Alarms"]["Enable"] is True
    assert deployment["Alarms"]["Rollback"] is True
    alarms = cloud.templates["Services"]["Resources"]
    names = [name["Ref"] for name in deployment["Alarms"]["AlarmNames"]]
    assert len(names) == 3
    assert all(alarms[name]["Type"] == "AWS::CloudWatch::Alarm" for name in names)


def test_the_alarms_see_both_groups_of_targets_for_ecs_swaps_them(cloud: Synthesized) -> None:
    groups = set(cloud.named("AWS::ElasticLoadBalancingV2::TargetGroup"))
    assert len(groups) == 2
    for name, alarm in cloud.named("AWS::CloudWatch::Alarm").items():
        seen = {group for group in groups if group in str(alarm)}
        assert seen in (set(), groups), name


def test_everything_else_is_replaced_one_by_one_and_goes_back_when_it_does_not_start(cloud: Synthesized) -> None:
    for name, service in cloud.services().items():
        deployment = service["DeploymentConfiguration"]
        assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
        assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200), name
        if name != "edge":
            assert deployment.get("Strategy", "ROLLING") == "ROLLING"


def test_a_nats_node_stops_before_the_next_one_takes_its_disk(cloud: Synthesized) -> None:
    nodes = [service for stack, _, service in cloud.all("AWS::ECS::Service") if stack == "Messaging"]
    assert len(nodes) == cloud.profile.nats_nodes
    for node in nodes:
        assert node["DeploymentConfiguration"]["MinimumHealthyPercent"] == 0
        assert node["DeploymentConfiguration"]["MaximumPercent"] == 100


def test_a_deployment_of_the_edge_is_over_within_an_hour() -> None:
    drained = DEREGISTRATION_SECONDS / 60
    assert START_AND_HEALTH_MINUTES + SHARE_MINUTES + BAKE_MINUTES + drained < 60


def test_spot_is_where_a_task_may_go_at_any_moment_and_never_the_edge(cloud: Synthesized) -> None:
    for name, service in cloud.services().items():
        strategy = {one["CapacityProvider"]: one for one in service["CapacityProviderStrategy"]}
        assert ("FARGATE_SPOT" in strategy) == cloud.profile.task(name).spot
        if name == "edge":
            assert set(strategy) == {"FARGATE"}
        if cloud.profile.name == "prod":  # it is there when Spot has nothing
            assert strategy["FARGATE"].get("Base", 0) >= 1 or "FARGATE_SPOT" not in strategy

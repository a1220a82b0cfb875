"""There are more tasks within a minute of need, and never fewer while anything is busy."""

from typing import Any

import pytest

from infra.parts.scaling import IN_MINUTES, LONGEST_DECISION_SECONDS, SHARP_SECONDS
from services.roster import ROSTER
from tests.infra.synthesized import Synthesized, environment_of

DATAPOINTS_OF_TRACKING = 3
"""How many a policy that tracks a target looks at (AWS's own alarms)."""
NAMES = [spec.name for spec in ROSTER]


def scaling_alarms(cloud: Synthesized, *, shrinking: bool) -> dict[str, dict[str, Any]]:
    policies = cloud.named("AWS::ApplicationAutoScaling::ScalingPolicy")
    found = {}
    for name, alarm in cloud.named("AWS::CloudWatch::Alarm").items():
        actions = [action["Ref"] for action in alarm["AlarmActions"] if "Ref" in action]
        for action in actions:
            if action in policies:
                (first, *_) = policies[action]["StepScalingPolicyConfiguration"]["StepAdjustments"]
                if (first["ScalingAdjustment"] < 0) == shrinking:
                    found[name] = alarm
    return found


def period(alarm: dict[str, Any]) -> int:
    """Of the slowest thing it looks at, in seconds."""
    if "Period" in alarm:
        return int(alarm["Period"])
    return max(int(one["MetricStat"]["Period"]) for one in alarm["Metrics"] if "MetricStat" in one)


def test_growing_is_decided_within_a_minute(cloud: Synthesized) -> None:
    alarms = scaling_alarms(cloud, shrinking=False)
    assert len(alarms) >= len(NAMES)
    for name, alarm in alarms.items():
        assert period(alarm) * alarm["EvaluationPeriods"] <= LONGEST_DECISION_SECONDS, name


def test_what_is_tracked_is_measured_often_enough_for_a_minute(cloud: Synthesized) -> None:
    tracking = [
        policy["TargetTrackingScalingPolicyConfiguration"]
        for policy in cloud.named("AWS::ApplicationAutoScaling::ScalingPolicy").values()
        if policy["PolicyType"] == "TargetTrackingScaling"
    ]
    assert len(tracking) == 4
    for policy in tracking:
        kind = policy["PredefinedMetricSpecification"]["PredefinedMetricType"]
        assert kind.endswith("HighResolution")
        assert policy["DisableScaleIn"] is True
    for name in ("edge", "inference"):
        (sharp,) = cloud.services()[name]["Monitoring"]["MetricConfigurations"]
        assert sharp["ResolutionSeconds"] == SHARP_SECONDS
        assert sharp["ResolutionSeconds"] * DATAPOINTS_OF_TRACKING <= LONGEST_DECISION_SECONDS


@pytest.mark.parametrize("name", NAMES)
def test_a_service_has_room_to_grow_and_its_number_is_not_set_by_deployments(cloud: Synthesized, name: str) -> None:
    assert "DesiredCount" not in cloud.services()[name]
    targets = [
        target
        for target in cloud.named("AWS::ApplicationAutoScaling::ScalableTarget").values()
        if f"'{name}Service" in str(target["ResourceId"])
    ]
    assert len(targets) == 1
    task = cloud.profile.task(name)
    assert targets[0]["MinCapacity"] == task.least < targets[0]["MaxCapacity"] == task.most


def test_edges_grow_by_streams_and_requests_and_workers_by_slots_and_what_waits(cloud: Synthesized) -> None:
    said = str(scaling_alarms(cloud, shrinking=False))
    for metric in ("open_streams", "RequestCountPerTarget", "slots_used", "work_waiting", "CPUUtilization"):
        assert metric in said


def test_shrinking_takes_long_and_looks_at_everything(cloud: Synthesized) -> None:
    alarms = scaling_alarms(cloud, shrinking=True)
    assert len(alarms) == len(NAMES)
    for alarm in alarms.values():
        assert alarm["EvaluationPeriods"] == IN_MINUTES
    edge = next(str(alarm) for name, alarm in alarms.items() if name.startswith("edge"))
    assert "CPUUtilization" in edge
    assert "open_streams" in edge
    worker = next(str(alarm) for name, alarm in alarms.items() if name.startswith("inference"))
    assert "work_waiting" in worker
    assert "slots_used" in worker


def test_a_worker_has_as_many_slots_as_its_size_carries(cloud: Synthesized) -> None:
    cpu = cloud.profile.task("inference").cpu
    assert environment_of(cloud.containers()["inference"])["STUDIO_INFERENCE_SLOTS"] == str(100 * cpu // 256)

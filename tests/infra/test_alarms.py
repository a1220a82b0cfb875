"""Every alarm reaches somebody, and looks at something that there is."""

import io
import json
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from infra.parts.measure import DIMENSIONS, namespace
from kit.telemetry import measures
from kit.telemetry.metrics_log import MetricsLog
from services.roster import ROSTER
from tests.infra.synthesized import Synthesized, environment_of


def test_every_alarm_does_something_and_says_what_it_means(cloud: Synthesized) -> None:
    alarms = cloud.named("AWS::CloudWatch::Alarm")
    assert len(alarms) > 20
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"], name
        assert len(alarm["AlarmDescription"]) > 20, name


def test_it_is_seen_when_a_service_or_a_node_does_not_run(cloud: Synthesized) -> None:
    names = [spec.name for spec in ROSTER] + [f"nats-{number}" for number in range(cloud.profile.nats_nodes)]
    alarms = cloud.templates["Observability"]["Resources"]
    for name in names:
        (alarm,) = (one for key, one in alarms.items() if key.startswith(f"Runs{name.replace('-', '')}"))
        assert alarm["Properties"]["TreatMissingData"] == "breaching"
        assert alarm["Properties"]["Statistic"] == "SampleCount"


def test_somebody_is_told(cloud: Synthesized) -> None:
    assert cloud.only("AWS::SNS::Subscription")["Endpoint"] == "ops@mail.example"
    rules = {where: rule for where, _, rule in cloud.all("AWS::Events::Rule")}
    assert rules["Observability"]["EventPattern"]["detail"]["eventName"] == ["SERVICE_DEPLOYMENT_FAILED"]
    assert rules["Workflow"]["EventPattern"]["detail"]["status"] == ["FAILED", "TIMED_OUT"]
    for rule in rules.values():
        assert "Alarms" in str(rule["Targets"])


def test_aws_may_tell_them(cloud: Synthesized) -> None:
    """A topic with a policy of its own lets in nobody but who is named: alarms would rise, and nobody would hear it."""
    (policy,) = (one for where, _, one in cloud.all("AWS::SNS::TopicPolicy") if where == "Network")
    allowed = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    assert {one["Principal"]["Service"].partition(".")[0] for one in allowed} == {"cloudwatch", "budgets", "events"}
    for one in allowed:
        assert one["Action"] == "sns:Publish"
        if not one["Principal"]["Service"].startswith("events"):
            assert one["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_one_alarm_says_that_people_get_no_answers(cloud: Synthesized) -> None:
    down = cloud.only("AWS::CloudWatch::CompositeAlarm")
    assert down["AlarmActions"] == down["OKActions"] != []
    rule = "".join(part if isinstance(part, str) else str(part) for part in down["AlarmRule"]["Fn::Join"][1])
    assert "EdgeErrors" in rule
    assert "NoEdge" in rule
    for name in ("chat", "compare", "architect", "inference"):
        # The number below which nobody of them is left, and not the one below which there are fewer than wanted.
        kind = "Runs" if cloud.profile.task(name).least == 1 else "None"
        assert f"{kind}{name}" in rule
        (alarm,) = (one for key, one in cloud.named("AWS::CloudWatch::Alarm").items() if key.startswith(kind + name))
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "LessThanThreshold")
    assert "notifier" not in rule
    assert rule.count(" AND ") == (3 if cloud.profile.nats_nodes == 3 else 0)  # any two of three nodes


def looked_at(cloud: Synthesized) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Our own metrics, of alarms and dashboards, with their dimensions."""
    ours: set[tuple[str, tuple[tuple[str, str], ...]]] = set()

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            if value.get("Namespace") == namespace(cloud.profile):
                dimensions = {pair["Name"]: pair["Value"] for pair in value["Dimensions"]}
                ours.add((value["MetricName"], tuple(sorted(dimensions.items()))))
            for inner in value.values():
                collect(inner)
        elif isinstance(value, list):
            for inner in value:
                collect(inner)

    collect(list(cloud.named("AWS::CloudWatch::Alarm").values()))
    return ours


def emitted(service: str) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """What a process of the product writes, by its own code."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    before, measures._meter = measures._meter, provider.get_meter("studio")
    tokens, ages = measures._first_token, measures._token_age
    try:
        measures._first_token = measures._meter.create_histogram("studio.time_to_first_token", unit="s")
        measures._token_age = measures._meter.create_histogram("studio.token_age", unit="s")
        measures.first_token("edge", 0.2)
        measures.token_age("edge", 0)
        measures.watch_open_streams(lambda: 3)
        measures.watch_slots(lambda: 0.5)
        measures.watch_waiting(lambda: 7)
        data = reader.get_metrics_data()
    finally:
        measures._meter, measures._first_token, measures._token_age = before, tokens, ages
        provider.shutdown()
    output = io.StringIO()
    assert data is not None
    MetricsLog(service, "AIStudio/test", output).export(data)
    found = set()
    for line in output.getvalue().splitlines():
        written = json.loads(line)
        (group,) = written["_aws"]["CloudWatchMetrics"]
        ((*names,),) = group["Dimensions"]
        (metric,) = group["Metrics"]
        found.add((metric["Name"], tuple(sorted((name, written[name]) for name in names))))
    return found


def test_every_measure_that_is_looked_at_is_one_that_is_written(cloud: Synthesized) -> None:
    written = emitted("edge") | emitted("inference")
    assert looked_at(cloud) <= written
    assert len(looked_at(cloud)) == len(DIMENSIONS)


def test_the_services_write_them_and_where_they_are_looked_for(cloud: Synthesized) -> None:
    for name in ("edge", "inference"):
        settings = environment_of(cloud.containers()[name])
        assert 0 < float(settings["STUDIO_METRICS_LOG_SECONDS"]) <= 10
        assert settings["STUDIO_METRICS_LOG_NAMESPACE"] == namespace(cloud.profile)
        options = cloud.containers()[name]["LogConfiguration"]
        assert options["LogDriver"] == "awslogs"

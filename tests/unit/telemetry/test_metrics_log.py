"""Measures as lines that CloudWatch understands."""

import io
import json
from typing import Any

import pytest
from opentelemetry.metrics import Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult, PeriodicExportingMetricReader

from kit.telemetry.metrics_log import MetricsLog

NEVER_MS = 3_600_000.0


class Written:
    """A meter, and the lines that came of it."""

    def __init__(self) -> None:
        self._output = io.StringIO()
        exporter = MetricsLog("edge", "AIStudio/test", self._output)
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=NEVER_MS)
        self.provider = MeterProvider(metric_readers=[reader], shutdown_on_exit=False)
        self.meter: Meter = self.provider.get_meter("studio")

    def lines(self) -> list[dict[str, Any]]:
        self._output.truncate(0)
        self._output.seek(0)
        self.provider.force_flush()
        return [json.loads(line) for line in self._output.getvalue().splitlines()]


@pytest.fixture
def written() -> Any:
    made = Written()
    yield made
    made.provider.shutdown()


def test_a_number_is_a_metric_of_its_service_to_the_second(written: Written) -> None:
    written.meter.create_observable_gauge("studio.open_streams", callbacks=[lambda _: [Observation(3)]])
    (line,) = written.lines()
    assert line["open_streams"] == 3
    assert line["service"] == "edge"
    (group,) = line["_aws"]["CloudWatchMetrics"]
    assert group["Namespace"] == "AIStudio/test"
    assert group["Dimensions"] == [["service"]]
    assert group["Metrics"] == [{"Name": "open_streams", "Unit": "Count", "StorageResolution": 1}]
    assert line["_aws"]["Timestamp"] > 1_700_000_000_000


def test_a_distribution_is_told_by_its_buckets_and_once(written: Written) -> None:
    tokens = written.meter.create_histogram(
        "studio.time_to_first_token", unit="s", explicit_bucket_boundaries_advisory=(0.1, 0.5, 1)
    )
    for seconds in (0.05, 0.3, 0.4, 7.0):
        tokens.record(seconds, {"hop": "edge", "model": "demo-sage"})
    (line,) = written.lines()
    assert line["time_to_first_token"] == {"Values": [0.1, 0.5, 7.0], "Counts": [1, 2, 1]}
    assert line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"] == "Seconds"
    assert written.lines() == []


def test_models_are_one_metric_and_hops_are_several(written: Written) -> None:
    tokens = written.meter.create_histogram("studio.time_to_first_token", unit="s")
    for hop, model in (("edge", "a"), ("edge", "b"), ("worker", "a")):
        tokens.record(1, {"hop": hop, "model": model})
    lines = written.lines()
    assert sorted((line["hop"], sum(line["time_to_first_token"]["Counts"])) for line in lines) == [
        ("edge", 2),
        ("worker", 1),
    ]
    assert not any("model" in line for line in lines)


def test_what_is_not_ours_is_not_written(written: Written) -> None:
    written.meter.create_counter("http.server.requests").add(1)
    assert written.lines() == []


def test_nobody_who_reads_is_no_reason_to_fail() -> None:
    closed = io.StringIO()
    closed.close()
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("studio").create_counter("studio.things").add(1)
    data = reader.get_metrics_data()
    assert data is not None
    assert MetricsLog("edge", "x", closed).export(data) is MetricExportResult.FAILURE
    provider.shutdown()

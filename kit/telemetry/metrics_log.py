"""Measures as lines of the log, in CloudWatch's embedded metric format: it makes metrics of them without a collector.

One line per measure and set of dimensions. Only `studio.…` measures are written, and of their attributes only those
that have few values: each other set of dimensions is a metric that is paid for.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TextIO

from opentelemetry.sdk.metrics import Counter, Histogram, UpDownCounter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    HistogramDataPoint,
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
)

OURS = "studio."
DIMENSIONS = frozenset({"hop"})
"""Attributes that are kept. The service is a dimension always."""

UNITS = {"s": "Seconds", "%": "Percent", "": "Count"}
HIGH_RESOLUTION_SECONDS = 1
"""CloudWatch keeps each value with its second, so that an alarm may look at ten of them instead of sixty."""

_NANOSECONDS_PER_MILLISECOND = 1_000_000
_DELTA = dict.fromkeys((Counter, Histogram, UpDownCounter), AggregationTemporality.DELTA)

Point = HistogramDataPoint | NumberDataPoint


class MetricsLog(MetricExporter):
    """Writes measures to `output`: what happened since the last time, and what is now."""

    def __init__(self, service: str, namespace: str, output: TextIO | None = None) -> None:
        super().__init__(preferred_temporality=_DELTA)  # type: ignore[arg-type]
        self._service, self._namespace = service, namespace
        self._output = output or sys.stdout

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: Any) -> MetricExportResult:
        """Write a line for each measure that says anything."""
        try:
            for metric in _ours(metrics_data):
                for dimensions, points in _grouped(metric).items():
                    if (value := _value(points)) is not None:
                        self._write(metric, dict(dimensions), points[0].time_unix_nano, value)
            self._output.flush()
        except (OSError, ValueError):  # nobody reads us any more
            return MetricExportResult.FAILURE
        return MetricExportResult.SUCCESS

    def _write(self, metric: Metric, dimensions: dict[str, str], at: int, value: Any) -> None:
        name = name_of(metric.name)
        said = {"service": self._service, **dimensions}
        measure = {
            "Name": name,
            "Unit": UNITS.get(metric.unit or "", "None"),
            "StorageResolution": HIGH_RESOLUTION_SECONDS,
        }
        head = {
            "Timestamp": at // _NANOSECONDS_PER_MILLISECOND,
            "CloudWatchMetrics": [{"Namespace": self._namespace, "Dimensions": [list(said)], "Metrics": [measure]}],
        }
        self._output.write(json.dumps({"_aws": head, **said, name: value}, separators=(",", ":")) + "\n")

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing is kept back."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        """Nothing is kept open."""


def name_of(measure: str) -> str:
    """What a measure is called in CloudWatch."""
    return measure.removeprefix(OURS).replace(".", "_")


def _ours(data: MetricsData) -> Iterable[Metric]:
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            yield from (metric for metric in scope.metrics if metric.name.startswith(OURS))


def _grouped(metric: Metric) -> dict[tuple[tuple[str, str], ...], list[Point]]:
    groups: dict[tuple[tuple[str, str], ...], list[Point]] = defaultdict(list)
    for point in metric.data.data_points:
        kept = sorted((name, str(value)) for name, value in (point.attributes or {}).items() if name in DIMENSIONS)
        groups[tuple(kept)].append(point)  # type: ignore[arg-type]
    return groups


def _value(points: list[Point]) -> Any:
    """A number; of a histogram the upper bounds of its buckets, with how often; None if nothing happened."""
    counts: dict[float, int] = defaultdict(int)
    numbers = [point.value for point in points if isinstance(point, NumberDataPoint)]
    for point in points:
        if isinstance(point, HistogramDataPoint):
            bounds = [*point.explicit_bounds, point.max]
            for bound, count in zip(bounds, point.bucket_counts, strict=True):
                if count:
                    counts[min(bound, point.max)] += count
    if counts:
        return {"Values": list(counts), "Counts": list(counts.values())}
    return max(numbers) if numbers else None

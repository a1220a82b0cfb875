"""OpenTelemetry, off unless an OTLP endpoint is configured by the standard variable, or measures go to the log.

`OTEL_EXPORTER_OTLP_ENDPOINT` (http/protobuf) turns traces and metrics on; the other standard `OTEL_…` variables work.
`STUDIO_METRICS_LOG_SECONDS` writes metrics, and only those, as lines for CloudWatch.
"""

import os
import threading
import time
import uuid
from typing import Any

from kit.settings import MetricsLogSettings

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
FLUSH_SECONDS = 3.0
"""On stop, how long a receiver may take for what is left; one that is away must not keep a process from ending."""

HANDLING = "messaging.process.duration"
HANDLING_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""In seconds; those of OpenTelemetry's semantic conventions."""

_enabled = False


def enabled() -> bool:
    """Whether anything is traced or measured in this process. Decided before a service is built."""
    return _enabled


def start_telemetry(service: str, metrics_log: MetricsLogSettings | None = None) -> None:
    """Send spans and metrics to the configured endpoint, and metrics to the log, if that is wanted."""
    global _enabled
    remote = bool(os.environ.get(ENDPOINT))
    written = metrics_log is not None and metrics_log.seconds > 0
    if _enabled or not (remote or written) or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_NAMESPACE, Resource

    resource = Resource.create(
        {
            SERVICE_NAME: f"studio-{service}",
            SERVICE_NAMESPACE: "ai-studio",
            SERVICE_INSTANCE_ID: uuid.uuid4().hex,  # or the metrics of two replicas would overwrite each other
        }
    )
    readers: list[MetricReader] = []
    if remote:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

        _trace(resource)
        readers.append(PeriodicExportingMetricReader(OTLPMetricExporter()))
    if metrics_log is not None and written:
        from kit.telemetry.metrics_log import MetricsLog

        exporter = MetricsLog(service, metrics_log.namespace)
        readers.append(PeriodicExportingMetricReader(exporter, export_interval_millis=metrics_log.seconds * 1000))
    metrics.set_meter_provider(
        MeterProvider(resource=resource, metric_readers=readers, views=[_handling_in_seconds()], shutdown_on_exit=False)
    )
    _enabled = True


def _handling_in_seconds() -> Any:
    """FastStream measures in seconds and says nothing of buckets; the SDK's own are for milliseconds."""
    from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View

    return View(instrument_name=HANDLING, aggregation=ExplicitBucketHistogramAggregation(HANDLING_BUCKETS))


def _trace(resource: Any) -> None:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from kit.telemetry.export import WithoutWords

    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(WithoutWords(OTLPSpanExporter())))
    trace.set_tracer_provider(provider)


def stop_telemetry() -> None:
    """Send what is left, if the receiver takes it in time."""
    if not _enabled:
        return
    from opentelemetry import metrics, trace

    providers: list[Any] = [trace.get_tracer_provider(), metrics.get_meter_provider()]
    closing = [
        provider.shutdown for provider in providers if hasattr(provider, "shutdown")
    ]  # without an endpoint: none
    flushing = [threading.Thread(target=shutdown, daemon=True) for shutdown in closing]
    for thread in flushing:
        thread.start()
    deadline = time.monotonic() + FLUSH_SECONDS
    for thread in flushing:
        thread.join(max(0.0, deadline - time.monotonic()))


def broker_middlewares() -> tuple[Any, ...]:
    """What makes a FastStream broker continue the traces of the messages it handles."""
    if not _enabled:
        return ()
    from kit.telemetry.broker import HandlerTelemetry

    return (HandlerTelemetry(),)

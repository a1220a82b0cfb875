"""OpenTelemetry, off unless an OTLP endpoint is configured by the standard variable.

`OTEL_EXPORTER_OTLP_ENDPOINT` (http/protobuf) turns traces and metrics on; the other standard `OTEL_…` variables work.
"""

import os
import threading
import time
import uuid
from typing import Any

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
FLUSH_SECONDS = 3.0
"""On stop, how long a receiver may take for what is left; one that is away must not keep a process from ending."""

_enabled = False


def enabled() -> bool:
    """Whether anything is traced or measured in this process. Decided before a service is built."""
    return _enabled


def start_telemetry(service: str) -> None:
    """Send this process's spans and metrics to the configured endpoint, if there is one."""
    global _enabled
    if _enabled or not os.environ.get(ENDPOINT) or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    from opentelemetry import metrics, trace
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_NAMESPACE, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from kit.telemetry.export import WithoutWords

    resource = Resource.create(
        {
            SERVICE_NAME: f"studio-{service}",
            SERVICE_NAMESPACE: "ai-studio",
            SERVICE_INSTANCE_ID: uuid.uuid4().hex,  # or the metrics of two replicas would overwrite each other
        }
    )
    tracer_provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    tracer_provider.add_span_processor(BatchSpanProcessor(WithoutWords(OTLPSpanExporter())))
    trace.set_tracer_provider(tracer_provider)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=[reader], shutdown_on_exit=False))
    _enabled = True


def stop_telemetry() -> None:
    """Send what is left, if the receiver takes it in time."""
    if not _enabled:
        return
    from opentelemetry import metrics, trace

    providers: list[Any] = [trace.get_tracer_provider(), metrics.get_meter_provider()]
    flushing = [threading.Thread(target=provider.shutdown, daemon=True) for provider in providers]
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

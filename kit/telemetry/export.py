"""Spans leave the process without the words of an error: those may quote a prompt, an answer or a secret.

A validation error quotes its input, a database error its parameters, a provider's error the provider. The kind of the
error stays; the words are in the log of the service, which is guarded.
"""

from collections.abc import Sequence

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

WORDS = frozenset({"exception.message", "exception.stacktrace"})


class WithoutWords(SpanExporter):
    """An exporter in front of another one."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the spans, with the kinds of their errors and nothing more."""
        return self._exporter.export([silent(span) for span in spans])

    def shutdown(self) -> None:
        """Pass it on."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Pass it on."""
        return self._exporter.force_flush(timeout_millis)


def silent(span: ReadableSpan) -> ReadableSpan:
    """The same span without the words of its errors."""
    if span.status.is_unset and not span.events:
        return span
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        events=[_silent_event(event) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _silent_event(event: Event) -> Event:
    kept = {name: value for name, value in (event.attributes or {}).items() if name not in WORDS}
    return Event(event.name, kept, event.timestamp)

"""Spans leave the process without words that others wrote: they may quote a prompt, an answer or a secret.

A validation error quotes its input, a database error its parameters, a provider's error the provider. The kind of the
error stays; the words are in the log of the service, which is guarded.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

WORDS = frozenset({"exception.message", "exception.stacktrace", "url.query", "url.path"})
"""Of an HTTP request the route stays, by which it is named."""


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
    attributes = span.attributes or {}
    if span.status.is_unset and not span.events and not WORDS & attributes.keys():
        return span
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=_without_words(attributes),
        events=[_silent_event(event) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _silent_event(event: Event) -> Event:
    return Event(event.name, _without_words(event.attributes or {}), event.timestamp)


def _without_words(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name not in WORDS}

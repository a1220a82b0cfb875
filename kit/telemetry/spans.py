"""Our own spans. While telemetry is off they are one shared object that does nothing.

Spans carry names, ids and sizes, never what people or models wrote: export.py takes the words out of errors, and
nobody puts words into attributes.
"""

import random
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link, NonRecordingSpan, Span, SpanContext, SpanKind

from kit.telemetry import setup

CLIENT, CONSUMER, INTERNAL, PRODUCER, SERVER = (
    SpanKind.CLIENT,
    SpanKind.CONSUMER,
    SpanKind.INTERNAL,
    SpanKind.PRODUCER,
    SpanKind.SERVER,
)

_tracer = trace.get_tracer("studio")
_OFF = nullcontext(INVALID_SPAN)


def span(
    name: str,
    kind: SpanKind = INTERNAL,
    *,
    subject: str | None = None,
    carrier: Mapping[str, str] | None = None,
    links: tuple[Link, ...] = (),
    attributes: Mapping[str, str] | None = None,
) -> AbstractContextManager[Span]:
    """A span around a block, in the trace that `carrier` (headers) tells of if it is given, else in the current one."""
    if not setup.enabled():
        return _OFF
    told = dict(attributes or {})
    if subject is not None:
        told |= {"messaging.system": "nats", "messaging.destination.name": subject}
    context = None if carrier is None else _context(carrier)
    return _tracer.start_as_current_span(name, context=context, kind=kind, attributes=told, links=links)


def in_trace_of(kept: Mapping[str, str] | None, name: str) -> AbstractContextManager[Span]:
    """Go on in a trace that was kept, whatever made us act: a sweep, a cancel, a message without headers.

    Nothing is added when we are in that trace already; otherwise a span links to what we came from.
    """
    if not setup.enabled() or not kept:
        return _OFF
    current, own = trace.get_current_span().get_span_context(), _span_context(kept)
    if not own.is_valid or own.trace_id == current.trace_id:
        return _OFF
    return span(name, carrier=kept, links=(Link(current),) if current.is_valid else ())


def untraced() -> AbstractContextManager[Span]:
    """Around what machines ask every few seconds: neither it nor what it causes elsewhere is traced."""
    if not setup.enabled():
        return _OFF
    unsampled = SpanContext(random.getrandbits(128), random.getrandbits(64), is_remote=False)
    return trace.use_span(NonRecordingSpan(unsampled))


def note(attribute: str, value: str) -> None:
    """Say more about the current span; costs nothing while telemetry is off."""
    if setup.enabled():
        trace.get_current_span().set_attribute(attribute, value)


def _context(carrier: Mapping[str, str]) -> Context:
    return propagate.extract(carrier, Context())


def _span_context(carrier: Mapping[str, str]) -> SpanContext:
    return trace.get_current_span(_context(carrier)).get_span_context()

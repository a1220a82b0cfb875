"""Carrying a trace across the bus."""

from opentelemetry import propagate

from kit.telemetry import setup


def trace_headers() -> dict[str, str]:
    """The headers that let the receiver continue the current trace; empty when nothing is traced."""
    headers: dict[str, str] = {}
    if setup.enabled():
        propagate.inject(headers)
    return headers

"""FastAPI traces its requests itself; this says how much of that we want."""

from collections.abc import MutableMapping
from typing import Any

from fastapi.telemetry import TelemetryConfig

from kit.telemetry.setup import enabled

PROBES = frozenset({"/healthz", "/readyz"})


def config() -> TelemetryConfig:
    """One span and one duration per request, to the providers of kit.telemetry; nothing while telemetry is off."""
    return {
        "tracing": enabled(),
        "metrics": enabled(),
        "logs": False,  # they quote what was sent
        "operation_spans": False,  # what a dependency or a serialization takes is not worth a span
        "auto_configure": False,
        "exclude": _is_probe,
    }


def _is_probe(scope: MutableMapping[str, Any]) -> bool:
    return scope.get("path") in PROBES

"""FastAPI traces its requests itself; this says how much of that we want."""

from collections.abc import MutableMapping
from typing import Any

from fastapi.telemetry import TelemetryConfig

from kit.telemetry.setup import enabled

PROBES = frozenset({"/healthz", "/readyz"})
UNTOLD = "/unsubscribe/"
"""Behind it is a secret of somebody's, which is to lie in no trace."""


def config() -> TelemetryConfig:
    """One span and one duration per request, to the providers of kit.telemetry; nothing while telemetry is off."""
    return {
        "tracing": enabled(),
        "metrics": enabled(),
        "logs": False,  # they quote what was sent
        "operation_spans": False,  # what a dependency or a serialization takes is not worth a span
        "auto_configure": False,
        "exclude": _is_untold,
    }


def _is_untold(scope: MutableMapping[str, Any]) -> bool:
    path = scope.get("path", "")
    return path in PROBES or path.startswith(UNTOLD)

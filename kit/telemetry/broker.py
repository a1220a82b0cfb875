"""Spans of FastStream handlers: each continues the trace in its message's headers."""

from typing import Any

from faststream.nats import NatsPublishCommand
from faststream.nats.opentelemetry import NatsTelemetryMiddleware
from faststream.opentelemetry.middleware import BaseTelemetryMiddleware


class _OnlyHandling(BaseTelemetryMiddleware[NatsPublishCommand]):
    """A handler publishes nothing but its reply (kit/bus/publish.py has spans of its own).

    FastStream would name spans and metrics after each reply's inbox, of which there is one per request.
    """

    async def publish_scope(self, call_next: Any, msg: NatsPublishCommand) -> Any:
        """Let the reply out."""
        return await call_next(msg)


class HandlerTelemetry(NatsTelemetryMiddleware):
    """FastStream's middleware without the part for publishing."""

    def __call__(self, msg: Any, /, *, context: Any) -> _OnlyHandling:
        """The middleware of one message."""
        return _OnlyHandling(
            msg,
            tracer=self._tracer,
            metrics_container=self._metrics,
            settings_provider_factory=self._settings_provider_factory,
            context=context,
        )

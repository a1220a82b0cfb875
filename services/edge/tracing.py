"""The span of an HTTP request. Put in front of the application only while telemetry is on."""

import random

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kit.telemetry.spans import SERVER, span

PROBES = frozenset({"/healthz", "/readyz"})
"""Asked every few seconds by machines: neither they nor what they ask on the bus is traced."""

_RUN_PREFIX = "/v1/runs/"
_FIRST_ERROR = 500


class Traced:
    """ASGI middleware: one span per request, however many chunks its response has. Follows an incoming traceparent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request inside a span."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] in PROBES:
            with trace.use_span(_unsampled()):
                await self._app(scope, receive, send)
        else:
            await self._traced(scope, receive, send)

    async def _traced(self, scope: Scope, receive: Receive, send: Send) -> None:
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method: str = scope["method"]
        told = {"http.request.method": method, "url.scheme": scope.get("scheme", "http")}
        with span(method, SERVER, carrier=carrier, attributes=told) as current:

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _on_start(current, message)
                await send(message)

            try:
                await self._app(scope, receive, sending)
            finally:
                _name(current, method, scope)


def _on_start(current: trace.Span, message: Message) -> None:
    status: int = message["status"]
    current.set_attribute("http.response.status_code", status)
    if status >= _FIRST_ERROR:
        current.set_status(StatusCode.ERROR)
    for name, value in message.get("headers", ()):
        if name == b"location" and value.decode("latin-1").startswith(_RUN_PREFIX):
            current.set_attribute("studio.run", value.decode("latin-1").removeprefix(_RUN_PREFIX))


def _name(current: trace.Span, method: str, scope: Scope) -> None:
    """By the route and not by the path: few names, and nothing that a client wrote."""
    route = getattr(scope.get("route"), "path", None)
    if route is None:
        return
    current.update_name(f"{method} {route}")
    current.set_attribute("http.route", route)
    run = scope.get("path_params", {}).get("run")
    if run is not None:
        current.set_attribute("studio.run", run)


def _unsampled() -> NonRecordingSpan:
    return NonRecordingSpan(SpanContext(random.getrandbits(128), random.getrandbits(64), is_remote=False))

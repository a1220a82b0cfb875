"""The answer of the native routes that start a run: its events at once, or where they are."""

from collections.abc import Callable
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from contracts.message import Request
from kit.auth.principal import Principal
from kit.telemetry.spans import note
from services.edge.follow import Watch, begin_run, native_cursor
from services.edge.gateway import Gateway
from services.edge.wires.native import NativeWire

EVENT_STREAM = "text/event-stream"


def described(accepted: type[BaseModel], what: str) -> dict[int | str, dict[str, Any]]:
    """The responses of such a route, for the documents."""
    return {
        200: {"description": "With `Accept: text/event-stream`: the run's events.", "content": {EVENT_STREAM: {}}},
        202: {"model": accepted, "description": what},
    }


async def start_run(
    gateway: Gateway,
    caller: Principal,
    command: Request[Any],
    run_id: str,
    accept: str,
    cursor: str | None,
    accepted: Callable[[Any, str], BaseModel],
) -> Response:
    """Start a run by a command; `accepted` makes the body of 202 from its answer and the address of the events.

    Raises Refused, Unavailable, LogUnavailableError.
    """
    note("studio.run", run_id)
    if EVENT_STREAM not in accept:
        started = await gateway.ask(command)
        location = _location(started)
        body = accepted(started, f"{location}/events")
        return JSONResponse(body.model_dump(), 202, headers={"location": location})
    watch = Watch(caller, NativeWire(), headers=lambda started: [(b"location", _location(started).encode())])
    return await begin_run(gateway, watch, command, run_id, native_cursor(cursor))


def _location(started: Any) -> str:
    return f"/v1/runs/{started.run_id}"

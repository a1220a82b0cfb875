"""Runs of any kind: list, look, follow, stop."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from contracts import chat
from kit.bus.rpc import Unavailable
from kit.runlog.reads import LogUnavailableError
from services.edge.depends import Caller, TheGateway, TheOwner
from services.edge.direct import direct
from services.edge.follow import Watch, follow_run, native_cursor
from services.edge.gateway import run_key
from services.edge.orchestrators import SERVED, merged, run_mark, serving
from services.edge.wires.native import NativeWire, unavailable
from services.edge.wires.wire import SSE_HEADERS

router = APIRouter(prefix="/v1/runs", tags=["runs"])

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The run's events from the cursor on; ends with the run.",
        "content": {"text/event-stream": {}},
    },
    204: {"description": "The run has ended and the cursor is at its end."},
}
_NO_EVENTS = {name.decode(): value.decode() for name, value in SSE_HEADERS}


@router.get("", response_model=chat.RunPage)
async def list_runs(
    gateway: TheGateway, owner: TheOwner, limit: Annotated[int, Query(ge=1, le=200)] = 50, before: str | None = None
) -> Any:
    """Your runs of every kind, newest first, without their texts.

    503 if a service that has runs does not answer: a list that lacks some would look like one that is whole.
    """
    mark = run_mark(before)
    asked = [kind.page(owner=owner, limit=limit, before=kind.mark(mark)) for kind in SERVED.values()]
    return merged(await asyncio.gather(*map(gateway.ask, asked)), limit)


@router.get("/{run}", response_model=chat.Run)
async def get_run(run: str, gateway: TheGateway, caller: Caller, owner: TheOwner) -> Any:
    """A run as it is now, with its text so far: for clients that poll. A comparison's texts are at its own address."""
    key = run_key(caller, run)
    found: chat.Run = await gateway.ask(serving(run).get(owner=owner, run_id=key.run))
    if found.ended_at is not None:
        gateway.audience.saw(key)
    return found


async def _events(request: Request) -> Response:
    cursor = native_cursor(request.headers.get("last-event-id") or request.query_params.get("after"))
    watch = Watch(request.state.principal, NativeWire())
    try:
        return await follow_run(request.app.state.gateway, watch, request.path_params["run"], cursor)
    except (LogUnavailableError, Unavailable):
        if "text/event-stream" not in request.headers.get("accept", ""):
            raise
        return Response(unavailable(), headers=_NO_EVENTS)


async def run_events(
    run: str, after: str | None = None, last_event_id: Annotated[str | None, Header()] = None
) -> Response:
    """Follow a run as server-sent events: live, after a reconnect, on a second device, or when it is long over.

    Resume with `Last-Event-ID` or `?after=`; without either it is told from the start. Who accepts `text/event-stream`
    is told to come back while the bus is away; others get 503.
    """
    raise NotImplementedError(run, after, last_event_id)  # `_events` serves it; this is what it looks like


router.add_api_route(
    "/{run}/events", run_events, response_model=None, responses=_EVENTS, route_class_override=direct(_events)
)


@router.post("/{run}/cancel", response_model=chat.Run)
async def cancel_run(run: str, gateway: TheGateway, caller: Caller, owner: TheOwner) -> Any:
    """Stop a run, from any device. What was written is kept. Stopping an ended run changes nothing."""
    return await gateway.ask(serving(run).cancel(owner=owner, run_id=run_key(caller, run).run))

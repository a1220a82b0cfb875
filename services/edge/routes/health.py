"""Probes: is the process alive, and can it serve?"""

import asyncio
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from contracts.generation import ListModels
from contracts.message import Owner, Request
from kit.bus.rpc import Unavailable, call
from kit.refusal import Refused
from kit.telemetry.spans import untraced
from services.edge.depends import TheGateway
from services.edge.gateway import Gateway
from services.edge.orchestrators import SERVED

router = APIRouter(tags=["health"])

PROBE_SECONDS = 2.0
_NOBODY = Owner(tenant="probe", user="probe")


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", response_model=None)
async def readyz(gateway: TheGateway) -> Response:
    """Every part that an answer needs is there: 200, otherwise 503 with what is missing.

    The notifier is not: no answer waits for it, and what it owes is told when it is back.
    """
    with untraced():
        offered, *pages = await asyncio.gather(
            _ask(gateway, ListModels()),
            *(_ask(gateway, kind.page(owner=_NOBODY, limit=1)) for kind in SERVED.values()),
        )
    parts = {
        "bus": gateway.bus.connected,
        "log": gateway.log_bus.connected and bool(gateway.reads.epoch),
        **{service: page is not None for service, page in zip(SERVED, pages, strict=True)},
        "inference": offered is not None,
    }
    ready = all(parts.values())
    body: dict[str, Any] = {"status": "ready" if ready else "unavailable", "parts": parts}
    if offered is not None:  # a provider that fails makes nothing else unready
        body["providers"] = {provider.name: provider.circuit for provider in offered.providers}
    return JSONResponse(body, 200 if ready else 503)


async def _ask(gateway: Gateway, request: Request[Any]) -> Any:
    """What a service answers, those that own runs from their database; None if it does not."""
    try:
        return await call(gateway.bus, request, timeout=PROBE_SECONDS)
    except (Unavailable, Refused):
        return None

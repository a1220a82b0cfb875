"""The bus, documented by the services that are running: AsyncAPI."""

import asyncio
import json
from typing import Any, cast

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse, JSONResponse
from nats.errors import Error as NatsError

from contracts.asyncapi import run_log_channels
from kit.bus.describe import describe_subject
from services.edge.depends import TheGateway
from services.edge.gateway import Gateway

router = APIRouter(tags=["documentation"])

SERVICES = ("chat", "inference")
TIMEOUT_SECONDS = 3.0


@router.get("/asyncapi.json", response_model=None)
async def asyncapi_json(gateway: TheGateway) -> Response:
    """What every running service listens to, and the run log, as one AsyncAPI 3 document."""
    return JSONResponse(await _document(gateway))


@router.get("/asyncapi", response_model=None)
async def asyncapi(gateway: TheGateway) -> Response:
    """The same, to read. The page loads its viewer from a public CDN."""
    from faststream.specification import Specification, get_asyncapi_html

    return HTMLResponse(get_asyncapi_html(cast(Specification, _Document(await _document(gateway)))))


async def _document(gateway: Gateway) -> dict[str, Any]:
    told = await asyncio.gather(*(_describe(gateway, service) for service in SERVICES))
    merged: dict[str, Any] = run_log_channels()
    for document in told:
        for section in ("channels", "operations"):
            merged[section].update(document.get(section, {}))
        for kind, parts in document.get("components", {}).items():
            merged["components"].setdefault(kind, {}).update(parts)
    return merged


async def _describe(gateway: Gateway, service: str) -> dict[str, Any]:
    try:
        answer = await gateway.bus.client.request(describe_subject(service), b"", timeout=TIMEOUT_SECONDS)
    except NatsError:
        return {}
    document: dict[str, Any] = json.loads(answer.data)
    return document


class _Document:
    """What FastStream's page wants of a specification."""

    title = "AI Studio"

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def to_json(self) -> str:
        return json.dumps(self._document)

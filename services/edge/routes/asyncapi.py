"""The bus, documented by the services that are running: AsyncAPI."""

import asyncio
import json
from typing import Any, cast

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse, JSONResponse

from contracts.asyncapi import add_replies, contracts_document
from kit.bus.describe import description_of, merge
from services.edge.depends import TheGateway
from services.edge.gateway import Gateway
from services.roster import ROSTER

router = APIRouter(tags=["documentation"])

SERVICES = tuple(spec.name for spec in ROSTER if spec.name != "edge")
"""Those that listen on the bus; our own document is OpenAPI."""


@router.get("/asyncapi.json", response_model=None)
async def asyncapi_json(gateway: TheGateway) -> Response:
    """The run log, facts and commands, and what every running service listens to, as one AsyncAPI 3 document."""
    return JSONResponse(await _document(gateway))


@router.get("/asyncapi", response_model=None)
async def asyncapi(gateway: TheGateway) -> Response:
    """The same, to read. The page loads its viewer from a public CDN."""
    from faststream.specification import Specification, get_asyncapi_html

    return HTMLResponse(get_asyncapi_html(cast(Specification, _Document(await _document(gateway)))))


async def _document(gateway: Gateway) -> dict[str, Any]:
    document = contracts_document()
    told = await asyncio.gather(*(description_of(gateway.bus, service) for service in SERVICES))
    for description in told:
        if description is not None:
            merge(document, description)
    add_replies(document)
    absent = [service for service, description in zip(SERVICES, told, strict=True) if description is None]
    if absent:
        document["info"]["x-absent-services"] = absent
    return document


class _Document:
    """What FastStream's page wants of a specification."""

    title = "AI Studio"

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def to_json(self) -> str:
        return json.dumps(self._document)

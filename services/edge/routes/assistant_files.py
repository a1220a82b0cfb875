"""Assistants as files, and those that come with the product."""

import json
from typing import Any

from fastapi import APIRouter, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from contracts import architect_assistants as asked
from contracts import architect_values as values
from services.edge.assistant_bodies import NewImport
from services.edge.chat_ids import made_id
from services.edge.depends import TheGateway, TheOwner
from services.edge.gateway import assistant_id
from services.edge.routes.assistants import Version

router = APIRouter(prefix="/v1/assistants", tags=["assistants"])

_FILE: dict[int | str, dict[str, Any]] = {200: {"description": "The file.", "content": {"application/json": {}}}}
_WISH = {"application/json": {"schema": NewImport.model_json_schema()}}
_IMPORT: dict[str, Any] = {"requestBody": {"required": True, "content": _WISH}}


@router.get("/library", response_model=values.ExampleAssistants)
async def list_examples(gateway: TheGateway, owner: TheOwner) -> Any:
    """Assistants that come with the product. Make one yours by sending its `definition` to `POST /v1/assistants`."""
    return await gateway.ask(asked.ListExamples(owner=owner))


@router.post("/import", status_code=201, response_model=values.ImportedAssistants, openapi_extra=_IMPORT)
async def import_assistants(body: dict[str, Any], gateway: TheGateway, owner: TheOwner) -> Any:
    """Make drafts of a file: one of ours, or the predecessor's export (JSON v1.0).

    The body is the file, or `{"document": the file, "models": {name there: model here}}`. Each draft is told with what
    of the file could not be taken over. The same body again makes nothing new.
    """
    wish = _wish(body)
    made_of = json.dumps({"document": wish.document, "models": wish.models}, sort_keys=True)
    ids_from = made_id("import", owner.tenant, owner.user, made_of)
    command = asked.ImportAssistants(owner=owner, ids_from=ids_from, document=wish.document, models=wish.models)
    return await gateway.ask(command)


@router.get("/{assistant}/export", response_model=None, responses=_FILE)
async def export_assistant(assistant: str, gateway: TheGateway, owner: TheOwner, version: Version = None) -> Response:
    """An assistant as a file, for `POST /v1/assistants/import` here or elsewhere."""
    key = assistant_id(assistant)
    found: values.ExportedAssistant = await gateway.ask(
        asked.ExportAssistant(owner=owner, assistant_id=key, version=version)
    )
    headers = {
        "content-disposition": f'attachment; filename="assistant-{key}.json"',
        "x-content-type-options": "nosniff",
    }
    text = json.dumps(found.document, indent=2, ensure_ascii=False)
    return Response(text, media_type="application/json", headers=headers)


def _wish(body: dict[str, Any]) -> NewImport:
    """No file of an assistant has a `document` at its top. Raises RequestValidationError."""
    if not isinstance(body.get("document"), dict):
        return NewImport(document=body)
    try:
        return NewImport.model_validate(body)
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from error

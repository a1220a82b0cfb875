"""Files that are given to assistants: kept as the text that is in them."""

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from contracts import architect_assistants as asked
from contracts.architect_values import GivenFile
from kit.ids import new_id
from services.edge.chat_ids import made_id
from services.edge.depends import TheGateway, TheOwner
from services.edge.gateway import file_id
from services.edge.guard import FILES
from services.edge.uploads import FIELD, read_upload

router = APIRouter(tags=["files"])

_BINARY = {"type": "string", "format": "binary"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": [FIELD], "properties": {FIELD: _BINARY}},
            },
            "application/octet-stream": {"schema": _BINARY},
        },
    }
}
MAX_MEDIA_TYPE_CHARACTERS = 255


@router.post(FILES, status_code=201, response_model=GivenFile, openapi_extra=_BODY)
async def give_file(
    request: Request,
    gateway: TheGateway,
    owner: TheOwner,
    response: Response,
    name: Annotated[str | None, Query(description="what it is called; a form says so itself")] = None,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Any:
    """Give a file for runs, as a form's field `file` or as the whole body with `?name=`. Its text is found at once.

    The same `Idempotency-Key` sent again gives the file that the first request brought.
    """
    upload = await read_upload(request, name, gateway.settings.edge.max_body_bytes)
    key = idempotency_key
    command = asked.GiveFile(
        owner=owner,
        file_id=new_id("file") if key is None else made_id("file", owner.tenant, owner.user, key),
        name=upload.name,
        media_type=upload.media_type[:MAX_MEDIA_TYPE_CHARACTERS],
        data=base64.b64encode(upload.data).decode(),
    )
    found: GivenFile = await gateway.ask(command, seconds=gateway.settings.edge.file_timeout_seconds)
    response.headers["location"] = f"{FILES}/{found.id}"
    return found


@router.get(FILES + "/{file}", response_model=GivenFile)
async def get_file(file: str, gateway: TheGateway, owner: TheOwner) -> Any:
    """A file of yours, with the text that was found in it."""
    return await gateway.ask(asked.GetFile(owner=owner, file_id=file_id(file)))


@router.delete(FILES + "/{file}", status_code=204, response_model=None)
async def delete_file(file: str, gateway: TheGateway, owner: TheOwner) -> Response:
    """Delete a file. Runs that it was given to keep its text."""
    await gateway.ask(asked.DeleteFile(owner=owner, file_id=file_id(file)))
    return Response(status_code=204)

"""Assistants: make, list, look, change, copy, delete."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from contracts import architect_assistants as asked
from contracts import architect_values as values
from kit.ids import new_id
from kit.refusal import Refused
from services.edge.assistant_bodies import AssistantChange, NewAssistant, NewCopy
from services.edge.chat_ids import made_id
from services.edge.depends import TheGateway, TheOwner
from services.edge.gateway import assistant_id

router = APIRouter(prefix="/v1/assistants", tags=["assistants"])

Version = Annotated[int | None, Query(ge=1, description="absent: the newest")]
_Key = Annotated[str | None, Header(min_length=1, max_length=255)]
_ETAG = re.compile(r'(?:W/)?"?(\d{1,9})"?', re.ASCII)


@router.post("", status_code=201, response_model=values.Assistant)
async def create_assistant(
    body: NewAssistant, gateway: TheGateway, owner: TheOwner, response: Response, idempotency_key: _Key = None
) -> Any:
    """Make an assistant. Everything in its definition is checked, and what is wrong is told at once.

    The same `Idempotency-Key` sent again gives the assistant that the first request made, as it is now.
    """
    command = asked.CreateAssistant(
        owner=owner,
        assistant_id=_new_id(owner, idempotency_key),
        name=body.name,
        description=body.description,
        status=body.status,
        definition=body.definition,
    )
    return _told(await gateway.ask(command), response, new=True)


@router.get("", response_model=values.AssistantPage)
async def list_assistants(
    gateway: TheGateway,
    owner: TheOwner,
    mine: Annotated[bool | None, Query(description="true: only yours; false: only others'")] = None,
    search: Annotated[str, Query(max_length=200, description="in name and description")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(max_length=200, description="the `next` of the page before")] = None,
) -> Any:
    """Your assistants and those that others of your tenant have published, newest first, without definitions."""
    return await gateway.ask(asked.ListAssistants(owner=owner, mine=mine, search=search, limit=limit, before=before))


@router.get("/{assistant}", response_model=values.Assistant)
async def get_assistant(
    assistant: str, gateway: TheGateway, owner: TheOwner, response: Response, version: Version = None
) -> Any:
    """An assistant with its definition. Its version is the `ETag`."""
    found = await gateway.ask(asked.GetAssistant(owner=owner, assistant_id=assistant_id(assistant), version=version))
    return _told(found, response)


@router.patch("/{assistant}", response_model=values.Assistant)
async def change_assistant(
    assistant: str,
    body: AssistantChange,
    gateway: TheGateway,
    owner: TheOwner,
    response: Response,
    if_match: Annotated[str | None, Header(description="the `ETag` of what you have seen")] = None,
) -> Any:
    """Change what is given and leave the rest. Another definition makes a new version; runs keep theirs.

    With `If-Match` it is 409 if somebody has saved another version since. Only its owner may: 403.
    """
    command = asked.UpdateAssistant(
        owner=owner,
        assistant_id=assistant_id(assistant),
        name=body.name,
        description=body.description,
        status=body.status,
        definition=body.definition,
        note=body.note,
        expected_version=_version_in(if_match),
    )
    return _told(await gateway.ask(command), response)


@router.delete("/{assistant}", status_code=204, response_model=None)
async def delete_assistant(assistant: str, gateway: TheGateway, owner: TheOwner) -> Response:
    """Delete an assistant with its history. Its runs stay, and those that are running go on."""
    await gateway.ask(asked.DeleteAssistant(owner=owner, assistant_id=assistant_id(assistant)))
    return Response(status_code=204)


@router.get("/{assistant}/versions", response_model=values.AssistantVersions)
async def list_versions(assistant: str, gateway: TheGateway, owner: TheOwner) -> Any:
    """The history of an assistant of yours, newest first. `?version=` of the assistant shows one of them."""
    return await gateway.ask(asked.ListVersions(owner=owner, assistant_id=assistant_id(assistant)))


@router.post("/{assistant}/copy", status_code=201, response_model=values.Assistant)
async def copy_assistant(
    assistant: str,
    gateway: TheGateway,
    owner: TheOwner,
    response: Response,
    body: NewCopy | None = None,
    idempotency_key: _Key = None,
) -> Any:
    """A draft of your own, of an assistant of yours or one that is published."""
    wish = body or NewCopy()
    source = assistant_id(assistant)
    command = asked.CopyAssistant(
        owner=owner,
        assistant_id=_new_id(owner, idempotency_key, "copy", source),
        source_id=source,
        version=wish.version,
        name=wish.name,
    )
    return _told(await gateway.ask(command), response, new=True)


def _new_id(owner: TheOwner, key: str | None, *made_of: str) -> str:
    """A new id; for a key always the same one."""
    return new_id("asst") if key is None else made_id("asst", owner.tenant, owner.user, *made_of, key)


def _told(found: values.Assistant, response: Response, *, new: bool = False) -> values.Assistant:
    response.headers["etag"] = f'"{found.version}"'
    if new:
        response.headers["location"] = f"/v1/assistants/{found.id}"
    return found


def _version_in(etag: str | None) -> int | None:
    """The version that an `If-Match` names; none if any will do. Raises Refused."""
    if etag is None or etag.strip() == "*":
        return None
    match = _ETAG.fullmatch(etag.strip())
    if match is None:
        raise Refused("invalid_request", 'If-Match is not the ETag of an assistant: that is its version, like "3".')
    return int(match[1])

"""OpenAI's responses that were made: look, follow, stop, delete."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from contracts.chat import CancelRun
from contracts.completions import Completion, DeleteCompletion, GetCompletion
from contracts.message import Owner
from kit.refusal import Refused
from services.edge.depends import Caller, TheGateway, TheOwner
from services.edge.follow import RUN_HEADER, Watch, follow_run
from services.edge.gateway import Gateway
from services.edge.openai import asked, ids
from services.edge.openai.errors import DOCUMENTED, Mistake
from services.edge.openai.input_items import input_items
from services.edge.openai.response_object import stored
from services.edge.openai.serving import ANSWERED
from services.edge.wires.responses import ResponsesWire

router = APIRouter(prefix="/v1/responses/{response}", tags=["openai"], responses=DOCUMENTED)

STOPPED_SECONDS = 5.0
"""A stopped run is stored as such a moment after its worker has said so; then it is shown as it is."""
STOPPED_POLL_SECONDS = 0.05

MAX_NUMBER = 2**53


@router.get("", response_model=None, responses=ANSWERED)
async def get_response(
    response: str,
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    stream: bool = False,
    starting_after: Annotated[int | None, Query(ge=-1, le=MAX_NUMBER)] = None,
) -> Response:
    """A response as it is now; or, with `stream=true`, its events from the one behind `starting_after` on.

    They have the same numbers whenever they are told, until the run is taken out of the log. -1 is before the first.
    """
    completion = await _completion(gateway, owner, response)
    if not stream:
        if starting_after is not None:
            raise Mistake("starting_after", "starting_after goes with stream=true.")
        return JSONResponse(stored(completion))
    after = -1 if starting_after is None else starting_after
    watch = Watch(caller, ResponsesWire(asked.of_completion(completion), starting_after=after))
    run_id = completion.run.id
    return await follow_run(gateway, watch, run_id, None, [(RUN_HEADER.encode(), run_id.encode())])


@router.post("/cancel", response_model=None)
async def cancel_response(response: str, gateway: TheGateway, owner: TheOwner) -> Response:
    """Stop a response that runs in the background; what was written is kept. One that has ended stays as it is."""
    completion = await _completion(gateway, owner, response)
    if not asked.of_completion(completion).wishes.background:
        raise Mistake(None, "Only a response that was made with background=true can be cancelled.")
    await gateway.ask(CancelRun(owner=owner, run_id=completion.run.id))
    deadline = asyncio.get_running_loop().time() + STOPPED_SECONDS
    while True:
        completion = await _completion(gateway, owner, response)
        if completion.run.ended_at is not None or asyncio.get_running_loop().time() > deadline:
            return JSONResponse(stored(completion))
        await asyncio.sleep(STOPPED_POLL_SECONDS)


@router.delete("", response_model=None)
async def delete_response(response: str, gateway: TheGateway, owner: TheOwner) -> dict[str, Any]:
    """Delete a response that has ended."""
    try:
        await gateway.ask(DeleteCompletion(owner=owner, run_id=ids.run_of(response)))
    except Refused as refused:
        raise _as_response(refused) from refused
    return {"id": response, "object": "response", "deleted": True}


@router.get("/input_items", response_model=None)
async def list_input_items(
    response: str,
    gateway: TheGateway,
    owner: TheOwner,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    order: Literal["asc", "desc"] = "desc",
    after: str | None = None,
) -> dict[str, Any]:
    """A page of what the response was asked."""
    completion = await _completion(gateway, owner, response)
    items = input_items(completion.run.id, asked.of_completion(completion))
    if order == "desc":
        items.reverse()
    begin = 0
    if after is not None:
        begin = next((place for place, item in enumerate(items, start=1) if item["id"] == after), 0)
        if not begin:
            raise Mistake("after", "This is not the id of one of the items.")
    page = items[begin : begin + limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": begin + limit < len(items),
    }


async def _completion(gateway: Gateway, owner: Owner, response: str) -> Completion:
    try:
        found: Completion = await gateway.ask(GetCompletion(owner=owner, run_id=ids.run_of(response)))
    except Refused as refused:
        raise _as_response(refused) from refused
    return found


def _as_response(refused: Refused) -> Refused:
    known = refused.problem.code != "unknown_run"
    return refused if known else Refused("unknown_response", ids.UNKNOWN_RESPONSE)

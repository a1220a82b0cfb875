"""What is made of a comparison: a conversation that goes on from one answer, and a file."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response

from contracts import chat
from contracts.compare import Comparison, GetComparison
from contracts.compare_values import ComparedLane
from contracts.content import Turn
from contracts.message import Owner
from kit.refusal import Refused
from services.edge import comparison_export
from services.edge.chat_ids import conversation_made_of
from services.edge.comparison_bodies import UNKNOWN_LANE, lane_id
from services.edge.depends import TheGateway, TheOwner
from services.edge.gateway import comparison_id

router = APIRouter(prefix="/v1/comparisons/{comparison}", tags=["comparisons"])

MARKDOWN = "text/markdown; charset=utf-8"
MAX_TITLE_CHARACTERS = 200

_Key = Annotated[str | None, Header(min_length=1, max_length=255)]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"application/json": {}, "text/markdown": {}}}
}


@router.post("/lanes/{lane}/conversation", status_code=201, response_model=chat.Conversation)
async def continue_lane(
    comparison: str,
    lane: str,
    gateway: TheGateway,
    owner: TheOwner,
    response: Response,
    idempotency_key: _Key = None,
) -> Any:
    """Go on with one answer as a conversation: what was asked, and the answer, are its first messages.

    The same lane again gives the same conversation; with another `Idempotency-Key` a further one. 409 while the answer
    is being written or has no text, and before the vote of a blind comparison.
    """
    key, name = comparison_id(comparison), lane_id(lane)
    found: Comparison = await gateway.ask(GetComparison(owner=owner, run_id=key))
    command = _import(owner, found, _lane(found, name), idempotency_key)
    conversation = await gateway.ask(command)
    response.headers["location"] = f"/v1/conversations/{command.conversation_id}"
    return conversation


@router.get("/export", response_model=None, responses=_FILE)
async def export_comparison(
    comparison: str,
    gateway: TheGateway,
    owner: TheOwner,
    kind: Annotated[Literal["json", "markdown"], Query(alias="format")] = "json",
) -> Response:
    """A comparison as a file. One that is blind still has no names in it."""
    found: Comparison = await gateway.ask(GetComparison(owner=owner, run_id=comparison_id(comparison)))
    if kind == "markdown":
        text, media_type, ending = comparison_export.markdown(found), MARKDOWN, "md"
    else:
        text, media_type, ending = comparison_export.told(found).model_dump_json(indent=2), "application/json", "json"
    headers = {
        "content-disposition": f'attachment; filename="comparison-{found.id}.{ending}"',
        "x-content-type-options": "nosniff",
    }
    return Response(text, media_type=media_type, headers=headers)


def _lane(comparison: Comparison, name: str) -> ComparedLane:
    found = next((each for each in comparison.lanes if each.lane == name), None)
    if found is None:
        raise Refused("unknown_lane", UNKNOWN_LANE)
    if not comparison.revealed:
        raise Refused("not_voted", "Vote first: until then the models of this comparison are hidden.")
    if found.status == "running" or not (found.text or "").strip():
        raise Refused("lane_not_finished", "This lane has no answer to go on from.")
    return found


def _import(owner: Owner, comparison: Comparison, lane: ComparedLane, key: str | None) -> chat.ImportConversation:
    made_of = ("lane", comparison.id, lane.lane, *(() if key is None else (key,)))
    return chat.ImportConversation(
        owner=owner,
        conversation_id=conversation_made_of(owner, comparison.created_at, *made_of),
        title=comparison.title[:MAX_TITLE_CHARACTERS],
        turns=(*comparison.turns, Turn(role="assistant", content=lane.text or "")),
        model=lane.model,
    )

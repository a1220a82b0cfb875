"""Comparisons: the same question to several models, and what you think of their answers."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response

from contracts import compare
from services.edge.blindfold import is_hidden
from services.edge.comparison_bodies import (
    ComparisonAccepted,
    Extension,
    NewComparison,
    NewVote,
    lane_id,
    new_comparison_id,
    wishes,
)
from services.edge.depends import Caller, TheGateway, TheOwner
from services.edge.gateway import comparison_id, page_mark, run_key
from services.edge.starting import described, start_run

router = APIRouter(tags=["comparisons"])

_RESPONSES = described(ComparisonAccepted, "The comparison has begun.")
_Key = Annotated[str | None, Header(min_length=1, max_length=255)]


@router.post("/v1/comparisons", status_code=202, response_model=None, responses=_RESPONSES)
async def start_comparison(
    body: NewComparison,
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    accept: Annotated[str, Header()] = "",
    idempotency_key: _Key = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Ask several models the same, at the same moment.

    It is one run with a lane for each model; `run.created` says which is whose, every event names its lane. A lane that
    fails does not touch the others. With `Accept: text/event-stream` the response is the run's event stream, otherwise
    202 says where it is. Closing the connection does not stop the run. The same `Idempotency-Key` sent again gives the
    same run, and 409 if the question is another one.

    `blind` hides the models until you have voted, on every route.
    """
    command = compare.StartComparison(
        owner=owner,
        run_id=new_comparison_id(blind=body.blind),
        turns=body.turns(),
        models=wishes(body.models),
        parameters=body.parameters,
        timeouts=body.timeouts,
        title=body.title,
        notify=body.notify,
        idempotency_key=idempotency_key,
    )
    return await start_run(gateway, caller, command, command.run_id, accept, last_event_id, _accepted)


@router.get("/v1/comparisons", response_model=compare.ComparisonPage)
async def list_comparisons(
    gateway: TheGateway, owner: TheOwner, limit: Annotated[int, Query(ge=1, le=200)] = 50, before: str | None = None
) -> Any:
    """Your comparisons, newest first, without what was asked and answered."""
    return await gateway.ask(compare.ListComparisons(owner=owner, limit=limit, before=page_mark(before)))


@router.get("/v1/comparisons/{comparison}", response_model=compare.Comparison)
async def get_comparison(comparison: str, gateway: TheGateway, caller: Caller, owner: TheOwner) -> Any:
    """A comparison as it is now: what was asked, each lane with its text so far, how it did, and your vote."""
    key = run_key(caller, comparison_id(comparison))
    found: compare.Comparison = await gateway.ask(compare.GetComparison(owner=owner, run_id=key.run))
    if found.ended_at is not None:
        gateway.audience.saw(key)
    return found


@router.delete("/v1/comparisons/{comparison}", status_code=204, response_model=None)
async def delete_comparison(comparison: str, gateway: TheGateway, owner: TheOwner) -> Response:
    """Delete a comparison. Its vote stays in the leaderboard, without the comment. 409 while it is running."""
    await gateway.ask(compare.DeleteComparison(owner=owner, run_id=comparison_id(comparison)))
    return Response(status_code=204)


@router.post("/v1/comparisons/{comparison}/votes", response_model=compare.Comparison)
async def vote(comparison: str, body: NewVote, gateway: TheGateway, owner: TheOwner) -> Any:
    """Say which answer is the best, once, when the comparison has ended. It reveals the models of a blind one.

    The same vote again changes nothing, another one is 409; so is one before the end.
    """
    key = comparison_id(comparison)
    return await gateway.ask(compare.VoteComparison(owner=owner, run_id=key, vote=body.vote()))


@router.post("/v1/comparisons/{comparison}/lanes/{lane}/cancel", response_model=compare.Comparison)
async def cancel_lane(comparison: str, lane: str, gateway: TheGateway, owner: TheOwner) -> Any:
    """Stop one lane; the others go on. What was written is kept. Stopping one that has ended changes nothing."""
    key = comparison_id(comparison)
    return await gateway.ask(compare.CancelLane(owner=owner, run_id=key, lane=lane_id(lane)))


@router.post("/v1/comparisons/{comparison}/runs", status_code=202, response_model=None, responses=_RESPONSES)
async def extend_comparison(
    comparison: str,
    body: Extension,
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    accept: Annotated[str, Header()] = "",
    idempotency_key: _Key = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Add models to a comparison that has ended, or let lanes answer anew: a new comparison, with `parent_run_id`.

    Finished lanes are shown again and cost nothing. The response is like that of a comparison that is started. A blind
    one stays blind, and takes no further models, until you have voted: 409.
    """
    parent = comparison_id(comparison)
    command = compare.ExtendComparison(
        owner=owner,
        run_id=new_comparison_id(blind=await is_hidden(gateway, owner, parent, ended=True)),
        parent_run_id=parent,
        add=wishes(body.add),
        retry=tuple(lane_id(lane) for lane in body.retry),
        timeouts=body.timeouts,
        notify=body.notify,
        idempotency_key=idempotency_key,
    )
    return await start_run(gateway, caller, command, command.run_id, accept, last_event_id, _accepted)


@router.get("/v1/leaderboard", response_model=compare.Leaderboard)
async def get_leaderboard(gateway: TheGateway, owner: TheOwner, which: Literal["all", "blind"] = "all") -> Any:
    """The models by the votes of your tenant, the best first; `blind` counts only votes that were given blind."""
    return await gateway.ask(compare.GetLeaderboard(owner=owner, which=which))


def _accepted(started: compare.ComparisonStarted, events_url: str) -> ComparisonAccepted:
    return ComparisonAccepted(run_id=started.run_id, events_url=events_url)

"""Comparisons and runs as their owner sees them: values in, values out."""

from collections.abc import Mapping
from typing import Any

from contracts.chat import Run
from contracts.compare import ComparedLane, Comparison, LaneOrigin, LaneRating, Vote
from contracts.generation import Parameters
from kit.orchestrate.heard import Heard
from kit.orchestrate.moments import milliseconds
from services.compare.core import KIND
from services.compare.hiding import hidden_lane
from services.compare.models import Compared, LaneRow, VoteRow
from services.compare.plan import turns_of

_OF_RUN = {"id", "title", "status", "blind", "parent_run_id", "error", "created_at", "ended_at"}
_OF_LANE = {
    "lane",
    "model",
    "provider",
    "status",
    "finish_reason",
    "error",
    "usage",
    "cost_usd",
    "queued_ms",
    "first_token_ms",
    "total_ms",
    "tokens_per_second",
}


def comparison(compared: Compared, heard: Mapping[str, Heard], *, whole: bool = True) -> Comparison:
    """A comparison; `heard` is what the lanes that go on have said so far. Without `whole` it has no texts."""
    run, lanes, vote = compared
    of_whole: dict[str, Any] = {}
    if whole:
        of_whole = {"turns": turns_of(run), "parameters": Parameters.model_validate(run.parameters)}
    return Comparison(
        **{name: getattr(run, name) for name in _OF_RUN},
        revealed=not compared.hidden,
        lanes=tuple(_lane(compared, lane, heard.get(lane.lane), whole=whole) for lane in lanes),
        vote=None if vote is None else vote_of(vote),
        voted_at=None if vote is None else vote.voted_at,
        **of_whole,
    )


def _lane(compared: Compared, lane: LaneRow, heard: Heard | None, *, whole: bool) -> ComparedLane:
    going = lane.status == "running"
    text = (heard.text if heard else None) if going else lane.text if whole else None
    if compared.hidden:
        return hidden_lane(lane, text)
    told: dict[str, Any] = {name: getattr(lane, name) for name in _OF_LANE}
    told["reasoning"] = lane.reasoning if whole and not going else None
    if going and heard is not None:
        told |= _so_far(heard, milliseconds(compared.run.created_at))
    if lane.origin_run_id is not None and lane.origin_lane is not None:
        told["origin"] = LaneOrigin(run_id=lane.origin_run_id, lane=lane.origin_lane)
    return ComparedLane(**told, text=text, rating=_ratings(compared.vote).get(lane.lane))


def _so_far(heard: Heard, requested: int) -> dict[str, Any]:
    """What is known of an answer that goes on."""
    told: dict[str, Any] = {"provider": heard.provider, "reasoning": heard.reasoning or None}
    for name, at in (("queued_ms", heard.started_at), ("first_token_ms", heard.first_word_at)):
        told[name] = None if at is None else max(0, at - requested)
    return told


def vote_of(vote: VoteRow) -> Vote:
    """A vote as it was given."""
    ratings = _ratings(vote)
    return Vote(
        outcome=vote.outcome,
        winner=vote.winner,
        ratings=tuple(LaneRating(lane=lane, rating=rating) for lane, rating in ratings.items()),
        comment=vote.comment,
    )


def _ratings(vote: VoteRow | None) -> dict[str, Any]:
    return {} if vote is None else {lane["lane"]: lane["rating"] for lane in vote.lanes if lane.get("rating")}


def run_of(compared: Compared) -> Run:
    """A comparison as every run looks. There is no one text of it."""
    run = compared.run
    models = "" if compared.hidden else ", ".join(lane.model for lane in compared.lanes)
    return Run(
        id=run.id,
        kind=KIND,
        status=run.status,
        model=models,
        revealed=not compared.hidden,
        error=run.error,
        created_at=run.created_at,
        ended_at=run.ended_at,
    )

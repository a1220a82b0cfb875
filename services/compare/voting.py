"""What a vote may say, and what is kept of it: values in, values or Refused out."""

from datetime import datetime
from typing import Any

from contracts.compare import Vote
from contracts.compare_facts import ComparisonVotedFact
from contracts.message import Owner
from kit.orchestrate.wording import storable
from kit.refusal import Refused
from services.compare.checks import UNKNOWN_LANE
from services.compare.models import Compared, LaneRow, VoteRow


def vote_row(compared: Compared, vote: Vote, now: datetime, *, known: bool = False) -> VoteRow:
    """A vote with the models that it is about, or Refused if it makes no sense.

    `known`: the owner may have been told whose the answers are, by a vote on a comparison with the same lanes.
    """
    run = compared.run
    if run.status == "running":
        raise Refused("run_in_progress", "This comparison is still running. Vote when it has ended.")
    if (vote.outcome == "winner") != (vote.winner is not None):
        raise Refused("invalid_vote", "A vote names a winner if, and only if, its outcome is `winner`.")
    if vote.winner is not None and _known(compared, vote.winner).status != "completed":
        raise Refused("invalid_vote", "Only an answer that was completed can win.")
    ratings = {rating.lane: rating.rating for rating in vote.ratings}
    if len(ratings) < len(vote.ratings):
        raise Refused("invalid_vote", "A lane is rated twice.")
    for lane in ratings:
        _known(compared, lane)
    return VoteRow(
        run_id=run.id,
        tenant=run.tenant,
        user=run.user,
        blind=run.blind and not known,
        outcome=vote.outcome,
        winner=vote.winner,
        comment=None if vote.comment is None else storable(vote.comment),
        lanes=[_voted_on(lane, ratings.get(lane.lane)) for lane in compared.lanes],
        voted_at=now,
    )


def same(one: VoteRow, other: VoteRow) -> bool:
    """Whether two votes on a comparison say the same."""
    return (one.outcome, one.winner, one.comment, one.lanes) == (
        other.outcome,
        other.winner,
        other.comment,
        other.lanes,
    )


def voted_fact(vote: VoteRow) -> ComparisonVotedFact:
    """What everybody is told of a vote."""
    return ComparisonVotedFact(
        owner=Owner(tenant=vote.tenant, user=vote.user),
        run_id=vote.run_id,
        blind=vote.blind,
        verdict=vote.outcome,
        winner=vote.winner,
    )


def _known(compared: Compared, name: str) -> LaneRow:
    lane = compared.lane(name)
    if lane is None:
        raise Refused("unknown_lane", UNKNOWN_LANE)
    return lane


def _voted_on(lane: LaneRow, rating: str | None) -> dict[str, Any]:
    told = {"lane": lane.lane, "model": lane.model, "status": lane.status, "rating": rating}
    told |= {"origin_run_id": lane.origin_run_id, "origin_lane": lane.origin_lane}
    return {name: value for name, value in told.items() if value is not None}

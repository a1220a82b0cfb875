"""Votes: once, at the end, by the owner; what they reveal, and what of them stays."""

import asyncio
import json
from typing import Any

import pytest

from contracts.compare import DeleteComparison, ExtendComparison, LaneRating, Vote, VoteComparison
from contracts.ids import BLIND
from kit.ids import new_id
from kit.runlog.lane import RunKey
from services.compare import vote_handlers
from tests.fixtures.polling import until
from tests.integration.compare.world import OWNER, World, wishes


def voting(key: RunKey, vote: Vote, **more: Any) -> VoteComparison:
    return VoteComparison(**{"owner": OWNER, "run_id": key.run, "vote": vote, **more})


async def a_vote(world: World, key: RunKey) -> Vote:
    lanes = [row["lane"] for row in await world.lanes(key)]
    ratings = (LaneRating(lane=lanes[1], rating="down"),)
    return Vote(outcome="winner", winner=lanes[0], ratings=ratings, comment="clear")


async def test_a_vote_reveals_a_blind_comparison_and_is_told_once(world: World) -> None:
    await world.replica()
    key = await world.completed("m-1", "m-2", blind=True)
    before = await world.get(key)
    assert (before.revealed, {lane.model for lane in before.lanes}) == (False, {None})
    vote = await a_vote(world, key)
    found = await world.ask(voting(key, vote))
    assert (found.revealed, found.vote, found.blind) == (True, vote, True)
    assert {lane.model for lane in found.lanes} == {"m-1", "m-2"}
    assert [lane.rating for lane in found.lanes] == [None, "down"]
    assert await world.ask(voting(key, vote)) == found == await world.get(key), "the same again changes nothing"
    assert await world.refused(voting(key, Vote(outcome="tie"))) == "already_voted"
    assert (await world.facts())[key.run].count("evt.compare.comparison.voted") == 1


async def test_a_vote_before_the_end_or_by_another_user(world: World) -> None:
    await world.replica()
    going, key = await world.begin(), await world.completed()
    assert await world.refused(voting(going, Vote(outcome="tie"))) == "run_in_progress"
    stranger = OWNER.model_copy(update={"user": "somebody-else"})
    unknown = RunKey("t", "u", new_id("cmp"))
    assert await world.refused(voting(key, Vote(outcome="tie"), owner=stranger)) == "unknown_run"
    assert await world.refused(voting(unknown, Vote(outcome="tie"))) == "unknown_run"
    assert await world.rows("SELECT run_id FROM compare.vote") == []


async def test_a_vote_outlives_its_comparison_without_the_comment(world: World) -> None:
    await world.replica()
    key = await world.completed("m-1", "m-2")
    vote = await a_vote(world, key)
    await world.ask(voting(key, vote))
    await world.ask(DeleteComparison(owner=OWNER, run_id=key.run))
    (row,) = await world.rows("SELECT * FROM compare.vote")
    assert (row["run_id"], row["tenant"], row["outcome"], row["winner"], row["comment"]) == (
        *(key.run, "t", "winner", vote.winner, None),
    )
    assert [(lane["model"], lane["status"]) for lane in json.loads(row["lanes"])] == [
        ("m-1", "completed"),
        ("m-2", "completed"),
    ]
    assert await world.refused(voting(key, vote)) == "unknown_run"


async def test_a_vote_whose_fact_was_not_told_is_told_by_the_sweep(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process died, or the bus was away, between the commit and the fact."""
    replica = await world.replica()
    key = await world.completed()

    async def away(*_: Any) -> None:
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(vote_handlers, "publish", away)
        found = await world.ask(voting(key, Vote(outcome="all_bad")))
        assert found.vote is not None
    assert "evt.compare.comparison.voted" not in (await world.facts())[key.run]
    for _ in range(2):
        await replica._votes.sweep()
    assert (await world.facts())[key.run].count("evt.compare.comparison.voted") == 1


async def test_a_vote_is_blind_only_if_nothing_of_its_family_was_told_before(world: World) -> None:
    """A comparison that goes on from another shows the same answers in the same places."""
    await world.replica()
    parent = await world.completed("m-1", "m-2", blind=True)
    children = []
    for _ in range(2):
        (first, _) = await world.lanes(parent)
        child = RunKey("t", "u", new_id("cmp") + BLIND)
        await world.ask(
            ExtendComparison(owner=OWNER, run_id=child.run, parent_run_id=parent.run, retry=(first["lane"],))
        )
        await world.answer(child, first["model"])
        await world.ended(child)
        children.append(child)
    for key in (children[0], parent, children[1]):
        await world.ask(voting(key, Vote(outcome="tie")))
    rows = await world.rows("SELECT run_id, blind FROM compare.vote")
    assert {row["run_id"]: row["blind"] for row in rows} == {
        children[0].run: True,
        parent.run: False,
        children[1].run: False,
    }
    assert (
        await world.refused(
            ExtendComparison(
                owner=OWNER,
                run_id=new_id("cmp") + BLIND,
                parent_run_id=parent.run,
                add=wishes("m-3"),
            )
        )
        == "already_voted"
    )  # it would be called blind, and the lanes that it shows again are known


async def test_two_votes_at_the_same_moment(world: World) -> None:
    await world.replica()
    key = await world.completed()
    votes = [voting(key, Vote(outcome=outcome)) for outcome in ("tie", "all_bad")]
    results = await asyncio.gather(*map(world.ask, votes), return_exceptions=True)
    assert sum(isinstance(result, Exception) for result in results) == 1

    async def told() -> bool:
        return (await world.facts())[key.run].count("evt.compare.comparison.voted") == 1

    await until(told)

"""The leaderboard from what is stored: whose votes count, how far back, and how often it is computed."""

import asyncio
from typing import Any

import pytest

from contracts import events
from contracts.compare import (
    DeleteComparison,
    ExtendComparison,
    GetLeaderboard,
    LaneRating,
    Leaderboard,
    Standing,
    StartComparison,
    Vote,
    VoteComparison,
)
from contracts.ids import BLIND
from contracts.message import Owner
from kit.ids import new_id
from kit.runlog.lane import RunKey
from services.compare import board_store
from services.compare.ballots import decisions
from services.compare.strengths import strengths
from tests.fixtures.polling import until
from tests.integration.compare.world import HELLO, World, wishes

ADA, BEN = Owner(tenant="one", user="ada"), Owner(tenant="one", user="ben")
EVE = Owner(tenant="two", user="eve")


async def compared(world: World, owner: Owner, *models: str, blind: bool = False, failing: str = "") -> RunKey:
    """A comparison that has ended."""
    run_id = new_id("cmp") + (BLIND if blind else "")
    await world.ask(StartComparison(owner=owner, run_id=run_id, turns=HELLO, models=wishes(*models)))
    return await answered(world, RunKey(owner.tenant, owner.user, run_id), failing)


async def answered(world: World, key: RunKey, failing: str = "") -> RunKey:
    """The same when all of its lanes have ended."""
    for row in await world.lanes(key):
        if row["status"] == "running":
            failed = {"kind": events.GenerationFailed} if row["model"] == failing else {}
            await world.answer(key, row["model"], **failed)

    async def ended() -> bool:
        return bool((await world.row(key))["ended_at"])

    await until(ended)
    return key


async def vote(world: World, key: RunKey, winner: str = "", *, outcome: str = "tie", up: str = "", **more: Any) -> None:
    """The owner's vote; the winner and who is good by their models."""
    lanes = {row["model"]: row["lane"] for row in await world.lanes(key)}
    said = Vote(
        outcome="winner" if winner else outcome,  # type: ignore[arg-type]
        winner=lanes.get(winner),
        ratings=tuple(LaneRating(lane=lane, rating="up") for model, lane in lanes.items() if model == up),
        **more,
    )
    owner = Owner(tenant=key.tenant, user=key.user)
    await world.ask(VoteComparison(owner=owner, run_id=key.run, vote=said))


async def board(world: World, owner: Owner = ADA, **more: Any) -> dict[str, Standing]:
    told: Leaderboard = await world.ask(GetLeaderboard(owner=owner, **more))
    return {item.model: item for item in told.items}


async def test_a_tenant_has_the_votes_of_all_its_users_and_of_nobody_else(world: World) -> None:
    await world.replica(leaderboard_seconds=0)
    await vote(world, await compared(world, ADA, "m-1", "m-2"), "m-1", up="m-1")
    await vote(world, await compared(world, BEN, "m-1", "m-2", failing="m-2"), "m-1")
    await vote(world, await compared(world, BEN, "m-2", "m-3"), outcome="all_bad")
    await vote(world, await compared(world, EVE, "m-1", "m-4"), "m-4")
    for owner in (ADA, BEN):
        found = await board(world, owner)
        assert list(found) == ["m-1", "m-3", "m-2"]
        one, three, two = found.values()
        assert (one.duels, one.wins, one.votes, one.thumbs_up, one.answers, one.failures) == (1, 1, 2, 1, 2, 0)
        assert (two.duels, two.wins, two.votes, two.all_bad, two.answers, two.failures) == (2, 0.5, 2, 1, 3, 1)
        assert (three.duels, three.wins, three.all_bad) == (1, 0.5, 1)
        assert (one.first_token_ms, one.tokens_per_second, one.cost_usd) == (100, 50.0, "0.001")
    assert list(await board(world, EVE)) == ["m-4", "m-1"]
    assert (await world.ask(GetLeaderboard(owner=EVE))).votes == 1
    assert await board(world, Owner(tenant="three", user="ada")) == {}


async def test_blind_votes_are_counted_by_themselves_too(world: World) -> None:
    await world.replica(leaderboard_seconds=0)
    await vote(world, await compared(world, ADA, "m-1", "m-2", blind=True), "m-1")
    await vote(world, await compared(world, ADA, "m-2", "m-3"), "m-3")
    assert {name: item.wins for name, item in (await board(world)).items()} == {"m-1": 1, "m-3": 1, "m-2": 0}
    assert {name: item.answers for name, item in (await board(world, which="blind")).items()} == {"m-1": 1, "m-2": 1}


async def test_before_its_vote_a_blind_comparison_is_not_seen(world: World) -> None:
    await world.replica(leaderboard_seconds=0)
    key = await compared(world, ADA, "m-1", "m-2", blind=True, failing="m-2")
    assert await board(world) == {}
    await vote(world, key, "m-1")
    assert {name: item.failures for name, item in (await board(world)).items()} == {"m-1": 0, "m-2": 1}


async def test_answers_that_are_shown_again_are_counted_once(world: World) -> None:
    await world.replica(leaderboard_seconds=0)
    first = await compared(world, ADA, "m-1", "m-2")
    await vote(world, first, "m-1", up="m-1")
    more = new_id("cmp")
    await world.ask(ExtendComparison(owner=ADA, run_id=more, parent_run_id=first.run, add=wishes("m-3")))
    second = await answered(world, RunKey(ADA.tenant, ADA.user, more))
    await vote(world, second, outcome="tie", up="m-1")
    found = await board(world)
    assert {name: (item.duels, item.wins) for name, item in found.items()} == {
        "m-1": (2, 1.0),
        "m-2": (2, 1.0),
        "m-3": (2, 1.0),
    }, "the later vote says that the first two are equally good"
    assert {name: (item.answers, item.thumbs_up) for name, item in found.items()} == {
        "m-1": (1, 1),
        "m-2": (1, 0),
        "m-3": (1, 0),
    }


async def test_a_vote_counts_on_when_its_comparison_is_deleted(world: World) -> None:
    await world.replica(leaderboard_seconds=0)
    key = await compared(world, ADA, "m-1", "m-2")
    await vote(world, key, "m-1", comment="secret")
    before = await board(world)
    await world.ask(DeleteComparison(owner=ADA, run_id=key.run))
    after = await board(world)
    assert [(item.model, item.strength, item.low, item.high, item.wins) for item in after.values()] == [
        (item.model, item.strength, item.low, item.high, item.wins) for item in before.values()
    ]
    assert {item.answers for item in after.values()} == {0}


async def test_what_is_told_can_be_computed_again_from_the_table_of_votes(world: World) -> None:
    replica = await world.replica(leaderboard_seconds=0)
    for winner, loser in (("m-1", "m-2"), ("m-2", "m-3"), ("m-3", "m-1"), ("m-1", "m-3")):
        await vote(world, await compared(world, ADA, winner, loser), winner)
    told = await board(world)
    stored = await board_store.votes(replica._database, "one", blind_only=False, days=1, rows=100)
    again = strengths(decisions(reversed(board_store.ballots_of(stored))))
    assert {name: item.strength for name, item in told.items()} == {
        name: round(item.strength, 1) for name, item in again.items()
    }


async def test_what_is_too_old_or_too_much_does_not_count(world: World) -> None:
    await world.replica(leaderboard_seconds=0, leaderboard_days=2, leaderboard_rows=2)
    for winner, days in (("m-1", 3), ("m-2", 1), ("m-3", 0), ("m-4", 0)):
        key = await compared(world, ADA, winner, "m-8")
        await vote(world, key, winner)
        await world.pool.execute(
            "UPDATE compare.vote SET voted_at = voted_at - make_interval(days => $1) WHERE run_id = $2", days, key.run
        )
        await world.pool.execute(
            "UPDATE compare.run SET created_at = created_at - make_interval(days => $1) WHERE id = $2", days, key.run
        )
    told: Leaderboard = await world.ask(GetLeaderboard(owner=ADA))
    assert told.votes == 2
    assert {item.model: (item.votes, item.answers) for item in told.items} == {
        "m-3": (1, 0),
        "m-4": (1, 1),
        "m-8": (2, 1),
    }


async def test_it_is_computed_once_in_a_while_for_each_tenant(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    votes = board_store.votes

    async def counted(database: Any, tenant: str, **more: Any) -> Any:
        read.append(tenant)
        return await votes(database, tenant, **more)

    monkeypatch.setattr(board_store, "votes", counted)
    await world.replica(leaderboard_seconds=3600)
    boards = await asyncio.gather(*(world.ask(GetLeaderboard(owner=owner)) for owner in (ADA, BEN, ADA, EVE)))
    assert await world.ask(GetLeaderboard(owner=ADA)) == boards[0] == boards[1]
    assert sorted(read) == ["one", "two"]
    await world.ask(GetLeaderboard(owner=ADA, which="blind"))
    assert sorted(read) == ["one", "one", "two"]


async def test_a_computation_that_failed_is_not_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.replica(leaderboard_seconds=3600)

    async def away(*_: Any, **__: Any) -> Any:
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr(board_store, "votes", away)
        assert await world.refused(GetLeaderboard(owner=ADA)) == "unavailable"
    assert (await world.ask(GetLeaderboard(owner=ADA))).votes == 0


async def test_years_of_comparisons_are_not_read_for_the_newest(world: World) -> None:
    async with world.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("""
            INSERT INTO compare.run (id, tenant, "user", title, blind, status, turns, parameters, created_at)
            SELECT 'cmp_' || n, 'one', 'ada', '', false, 'completed', '[]', '{}', now() - make_interval(hours => n)
            FROM generate_series(1, 20000) n
        """)
        await connection.execute("""
            INSERT INTO compare.lane (run_id, lane, position, model, request, own, status)
            SELECT id, 'lane', 0, 'm-1', '{}', false, 'completed' FROM compare.run
        """)
        await connection.execute("""
            INSERT INTO compare.vote (run_id, tenant, "user", blind, outcome, lanes, voted_at)
            SELECT id, tenant, "user", false, 'tie', '[]', created_at FROM compare.run
        """)
        await connection.execute("ANALYZE compare.run, compare.lane, compare.vote")
        plans = ""
        for statement in (board_store._VOTES, board_store._ANSWERS):
            values = {"tenant": "one", "blind_only": False, "days": 1, "rows": 10}
            rows = await connection.fetch(f"EXPLAIN {statement.sql}", *statement.arguments(values))
            plans += "\n".join(row[0] for row in rows)
        await transaction.rollback()
    assert "vote_by_tenant" in plans
    assert "run_by_tenant" in plans
    assert "Seq Scan" not in plans

"""What leaves the log: old comparisons, which are told from the tables then, and deleted ones."""

import json

from contracts.chat import StoredRun
from contracts.compare import (
    CancelCompareRun,
    CancelLane,
    DeleteComparison,
    GetCompareRun,
    GetComparison,
    ListCompareRuns,
    ReplayCompareRun,
    Vote,
    VoteComparison,
)
from contracts.content import Turn
from contracts.ids import RUN_LANE
from kit.ids import new_id
from kit.orchestrate.carried import question_reference
from kit.orchestrate.duty import Duty
from kit.orchestrate.retention import Retention
from kit.runlog.lane import RunKey
from services.compare.purge_store import PURGES, Old
from services.compare.service import CompareService
from tests.fixtures.polling import until
from tests.integration.compare.test_endings import LONG
from tests.integration.compare.world import MODELS, OWNER, World


async def purged(world: World, service: CompareService) -> None:
    """Everything that is to leave the log has left it."""
    duty = Duty(service._database, "compare", "purge", "one", 31)
    old = Old(service._database, 3600.0).order
    parts = (service._bus, service._database, service._blobs, service._reads, duty, PURGES, old)
    purging = Retention(*parts, purges_per_second=1000, idle_seconds=1)
    while await purging.step() is not None:
        pass


async def aged(world: World, key: RunKey) -> None:
    """It was long ago."""

    async def marked() -> bool:
        row = await world.row(key)
        return bool(row["told_at"] and row["dispatched_at"])

    await until(marked)
    await world.pool.execute("UPDATE compare.run SET ended_at = ended_at - interval '1 day' WHERE id = $1", key.run)


async def kept_of(world: World, key: RunKey) -> list[str]:
    """The names of the long texts of a run."""
    store = await world.bus.client.jetstream().object_store("blobs")
    return [each.name for each in await store.list() if each.name.startswith(key.run) and not each.deleted]


async def replay(world: World, key: RunKey) -> StoredRun:
    found: StoredRun = await world.ask(ReplayCompareRun(owner=OWNER, run_id=key.run))
    return found


async def test_an_old_comparison_leaves_the_log_with_its_long_texts_and_is_told_from_the_tables(world: World) -> None:
    service = await world.replica()
    turns = (Turn(role="user", content="x" * 90_000), Turn(role="user", content="y" * 90_000))
    key, young = await world.begin(turns=turns), await world.completed()
    going = await world.begin()
    reference = await world.blobs.put(f"{key.run}.long", LONG.encode())
    await world.answer(key, "m-1", text_ref=reference)
    await world.answer(key, "m-2")
    ended = await world.ended(key)
    await aged(world, key)
    before, log = await replay(world, key), await world.logged(young)
    await purged(world, service)
    assert await world.logged(key) == {}
    assert await world.logged(young) == log
    assert len(await world.logged(going)) == 1
    assert await kept_of(world, key) == []
    told = await replay(world, key)
    assert told.events == before.events
    events = [json.loads(event) for event in told.events]
    assert [event["type"] for event in events] == [
        "run.created",
        "generation.completed",
        "generation.completed",
        "run.completed",
    ]
    assert [event.get("text") for event in events[1:3]] == [LONG, "the answer of m-2"]
    assert (await world.get(key)).lanes == ended.lanes
    await service._endings.end_now(key, ended.lanes[0].lane)  # a late look at what is gone
    assert await world.logged(key) == {}


async def test_a_blind_one_is_told_from_the_tables_without_names_until_the_vote(world: World) -> None:
    await world.replica()
    key = await world.completed("m-1", "m-2", blind=True)
    for row in await world.lanes(key):
        await world.pool.execute("UPDATE compare.lane SET text = 'words' WHERE lane = $1", row["lane"])
    hidden = await replay(world, key)
    run = await world.ask(GetCompareRun(owner=OWNER, run_id=key.run))
    page = await world.ask(ListCompareRuns(owner=OWNER))
    for told in (hidden, run, page):
        body = told.model_dump_json()
        assert [model["id"] for model in MODELS if model["id"] in body] == []
        assert "0.001" not in body
    assert hidden.model_dump_json().count("words") == 2
    await world.ask(VoteComparison(owner=OWNER, run_id=key.run, vote=Vote(outcome="tie")))
    body = (await replay(world, key)).model_dump_json()
    assert all(secret in body for secret in ("m-1", "m-2", "0.001"))
    assert (await world.ask(GetCompareRun(owner=OWNER, run_id=key.run))).model in ("m-1, m-2", "m-2, m-1")


async def test_a_deleted_comparison_leaves_the_log_at_once(world: World) -> None:
    service = await world.replica()
    key, going = await world.completed(), await world.begin()
    assert await world.refused(DeleteComparison(owner=OWNER, run_id=going.run)) == "run_in_progress"
    await world.ask(DeleteComparison(owner=OWNER, run_id=key.run))
    assert await world.refused(GetComparison(owner=OWNER, run_id=key.run)) == "unknown_run"
    assert await world.lanes(key) == []
    await purged(world, service)
    assert await world.logged(key) == {}
    assert await world.logged(going) != {}
    assert (await world.facts())[key.run].count("evt.compare.comparison.deleted") == 1
    assert await world.refused(DeleteComparison(owner=OWNER, run_id=key.run)) == "unknown_run"


async def test_somebody_elses_comparison_is_like_one_that_does_not_exist(world: World) -> None:
    await world.replica()
    key = await world.completed()
    lane = (await world.lanes(key))[0]["lane"]
    vote = Vote(outcome="tie")
    strangers = [OWNER.model_copy(update={"user": "x"}), OWNER.model_copy(update={"tenant": "x"})]
    for owner, run_id in [(OWNER, new_id("cmp")), *((stranger, key.run) for stranger in strangers)]:
        common = {"owner": owner, "run_id": run_id}
        for request in (
            GetComparison(**common),
            GetCompareRun(**common),
            ReplayCompareRun(**common),
            CancelCompareRun(**common),
            CancelLane(**common, lane=lane),
            DeleteComparison(**common),
            VoteComparison(**common, vote=vote),
        ):
            assert await world.refused(request) == "unknown_run"
        if owner is not OWNER:
            assert (await world.ask(ListCompareRuns(owner=owner))).items == ()
    assert (await world.get(key)).status == "completed"


async def test_a_question_of_many_short_turns_leaves_with_it(world: World) -> None:
    """As an order it is longer than as a row: there every turn says what it has not."""
    service = await world.replica()
    turns = tuple(Turn(role="assistant" if number % 2 else "user", content="y" * 40) for number in range(1001))
    key = await world.begin("m-1", "m-2", turns=turns)
    assert await kept_of(world, key) == [question_reference(key.run, RUN_LANE)]
    await world.answer(key, "m-1")
    await world.answer(key, "m-2")
    await world.ended(key)
    await aged(world, key)
    await purged(world, service)
    assert await kept_of(world, key) == []

"""A comparison that goes on: other models beside the same answers, or one of them asked anew. A new run each time."""

from typing import Any

from contracts import events
from contracts.compare import (
    ComparisonStarted,
    DeleteComparison,
    ExtendComparison,
    GetComparison,
    LaneOrigin,
    Vote,
    VoteComparison,
)
from contracts.ids import BLIND
from kit.ids import new_id
from kit.runlog.lane import RunKey
from tests.integration.compare.test_endings import LONG
from tests.integration.compare.world import MODELS, OWNER, World, wishes


def extension(parent: RunKey, *, blind: bool = False, **more: Any) -> ExtendComparison:
    run_id = new_id("cmp") + (BLIND if blind else "")
    return ExtendComparison(**{"owner": OWNER, "run_id": run_id, "parent_run_id": parent.run, **more})


async def extended(world: World, parent: RunKey, **more: Any) -> RunKey:
    command = extension(parent, **more)
    assert await world.ask(command) == ComparisonStarted(run_id=command.run_id)
    return RunKey(OWNER.tenant, OWNER.user, command.run_id)


async def test_a_model_is_added_and_finished_answers_are_shown_again(world: World) -> None:
    await world.replica()
    parent = await world.begin("m-1", "m-2", title="Together")
    await world.answer(parent, "m-1", LONG[:150_000])
    await world.answer(parent, "m-2", kind=events.GenerationFailed)
    before = await world.ended(parent)
    child = await extended(world, parent, add=wishes("m-3"))
    assert [order.model for order in await world.orders(child)] == ["m-3"], "nothing is generated twice"
    await world.answer(child, "m-3")
    ended = await world.ended(child)
    assert (ended.parent_run_id, ended.title, ended.turns) == (parent.run, "Together", before.turns)
    for kept, old in zip(ended.lanes, before.lanes, strict=False):
        origin = LaneOrigin(run_id=parent.run, lane=old.lane)
        assert kept == old.model_copy(update={"lane": kept.lane, "origin": origin})
        assert kept.lane != old.lane
    assert (ended.lanes[2].model, ended.lanes[2].origin, ended.status) == ("m-3", None, "completed")
    created, ending = await world.lane(child)
    assert created.parent_run_id == parent.run
    assert [plan.source for plan in created.generations] == [
        *(events.LaneSource(parent.run, lane.lane) for lane in before.lanes),
        None,
    ]
    assert len(ending.ends) == 3
    (first,) = await world.lane(child, ended.lanes[0].lane)
    assert await world.blobs.text(first.text, first.text_ref) == LONG[:150_000]
    (second,) = await world.lane(child, ended.lanes[1].lane)
    assert isinstance(second, events.GenerationFailed)
    assert await world.get(parent) == before, "what has ended stays ended"


async def test_a_lane_is_tried_again_in_its_place(world: World) -> None:
    await world.replica()
    parent = await world.begin("m-1", "m-2", "m-3")
    await world.answer(parent, "m-1")
    await world.answer(parent, "m-2", kind=events.GenerationFailed)
    await world.answer(parent, "m-3")
    failed = (await world.ended(parent)).lanes[1].lane
    child = await extended(world, parent, retry=(failed,))
    await world.answer(child, "m-2", "better")
    ended = await world.ended(child)
    assert [(lane.model, lane.status, lane.origin is None) for lane in ended.lanes] == [
        ("m-1", "completed", False),
        ("m-2", "completed", True),
        ("m-3", "completed", False),
    ]
    grandchild = await extended(world, child, retry=(ended.lanes[0].lane,))
    origins = {lane.model: lane.origin for lane in (await world.get(grandchild)).lanes}
    third = (await world.get(parent)).lanes[2].lane
    assert origins["m-3"] == LaneOrigin(run_id=parent.run, lane=third), "the first of a chain"
    assert origins["m-2"] == LaneOrigin(run_id=child.run, lane=ended.lanes[1].lane)
    await world.ask(DeleteComparison(owner=OWNER, run_id=parent.run))
    assert (await world.get(child)).lanes[0].text == "the answer of m-1"


async def test_the_same_wish_again_is_the_same_run(world: World) -> None:
    await world.replica()
    parent = await world.completed()
    command = extension(parent, add=wishes("m-3"), idempotency_key="once")
    first = await world.ask(command)
    assert await world.ask(command) == first
    again = await world.ask(command.model_copy(update={"run_id": new_id("cmp")}))
    assert again == ComparisonStarted(run_id=first.run_id, replayed=True)
    other = command.model_copy(update={"run_id": new_id("cmp"), "add": wishes("m-4")})
    assert await world.refused(other) == "idempotency_conflict"


async def test_what_cannot_follow_is_refused(world: World) -> None:
    await world.replica()
    parent = await world.completed()
    lane = (await world.lanes(parent))[0]["lane"]
    going = await world.begin()
    stranger = OWNER.model_copy(update={"user": "somebody-else"})
    for command, code in (
        (extension(parent), "nothing_to_do"),
        (extension(parent, retry=("lane_nobody",)), "unknown_lane"),
        (extension(parent, add=wishes("m-1")), "duplicate_model"),
        (extension(parent, add=wishes("nobody")), "unknown_model"),
        (extension(parent, add=wishes("m-3", "m-4", "m-5", "m-6", "m-7", "m-8", "small")), "too_many_models"),
        (extension(going, add=wishes("m-3")), "run_in_progress"),
        (extension(parent, owner=stranger, retry=(lane,)), "unknown_run"),
    ):
        assert await world.refused(command) == code


async def test_a_blind_one_stays_blind_until_its_vote(world: World) -> None:
    await world.replica()
    parent = await world.completed("m-1", "m-2", blind=True)
    assert await world.refused(extension(parent, blind=True, add=wishes("m-3"))) == "not_voted"
    lane = (await world.get(parent)).lanes[0].lane
    assert await world.refused(extension(parent, retry=(lane,))) == "not_voted", "its id would not hide the names"
    child = await extended(world, parent, blind=True, retry=(lane,))
    model = next(row["model"] for row in await world.lanes(child) if row["status"] == "running")
    await world.answer(child, model, "anew")
    await world.ended(child)
    found = await world.ask(GetComparison(owner=OWNER, run_id=child.run))
    shown = found.model_dump_json(exclude_none=True, exclude={"lanes": {"__all__": {"text"}}})
    secrets = [*(each["id"] for each in MODELS), "origin", "provider", "cost", "usage", "_ms"]
    assert [secret for secret in secrets if secret in shown] == []
    await world.ask(VoteComparison(owner=OWNER, run_id=parent.run, vote=Vote(outcome="tie")))
    assert not (await world.get(child)).revealed, "each has its own vote"
    after = await extended(world, parent, add=wishes("m-3"))
    assert (await world.get(after)).revealed

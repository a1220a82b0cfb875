"""Stopping lanes and runs: the worker hears it, or nobody does; before, in the middle and after the end."""

import asyncio
from typing import Any

import pytest

from contracts import events
from contracts.compare import CancelCompareRun, CancelLane
from contracts.ids import RUN_LANE
from kit.runlog.lane import RunKey
from services.compare import dispatch
from tests.fixtures.polling import until
from tests.integration.compare.worker import Answering
from tests.integration.compare.world import OWNER, World


async def cancel(world: World, key: RunKey) -> Any:
    return await world.ask(CancelCompareRun(owner=OWNER, run_id=key.run))


async def cancel_lane(world: World, key: RunKey, model: str) -> Any:
    lane = next(row["lane"] for row in await world.lanes(key) if row["model"] == model)
    return await world.ask(CancelLane(owner=OWNER, run_id=key.run, lane=lane))


async def stops_when_asked(worker: Answering, text: str) -> None:
    """As a worker does: the ending first, then the answer to who has asked."""

    async def asked() -> bool:
        return bool(worker.stops)

    await until(asked)
    subscription, worker.subscription = worker.subscription, None
    await worker.finish(text, events.GenerationCancelled)
    for stop in worker.stops:
        await stop.respond(b"")
    await subscription.unsubscribe()


async def test_one_lane_is_stopped_and_the_others_go_on(world: World) -> None:
    await world.replica()
    key = await world.begin("m-1", "m-2", "m-3")
    first, second = await world.work_on(key, "m-1"), await world.work_on(key, "m-2")
    await first.say("so ")
    await second.say("so far")
    stopping = asyncio.create_task(stops_when_asked(second, "so far"))
    found = await cancel_lane(world, key, "m-2")
    await stopping
    assert [(lane.status, lane.text) for lane in found.lanes] == [
        ("running", "so "),
        ("cancelled", "so far"),
        ("running", ""),
    ]
    assert not first.stops
    await world.replicas[0]._endings.on_generation_ended(await first.finish("so good"))
    await world.answer(key, "m-3")
    ended = await world.ended(key)
    assert (ended.status, [lane.status for lane in ended.lanes]) == (
        "completed",
        ["completed", "cancelled", "completed"],
    )


async def test_a_run_is_stopped_in_all_its_lanes_also_those_that_nobody_has_taken_up(world: World) -> None:
    await world.replica()
    key = await world.begin("m-1", "m-2", "m-3")
    worker, silent = await world.work_on(key, "m-1"), await world.work_on(key, "m-2")
    await silent.say("kept")
    await silent.die()
    stopping = asyncio.create_task(stops_when_asked(worker, "heard"))
    run = await cancel(world, key)
    await stopping
    assert run.status == "cancelled"
    ended = await world.ended(key)
    assert [lane.status for lane in ended.lanes] == ["cancelled"] * 3
    assert [lane.text for lane in ended.lanes] == ["heard", "kept", ""]
    assert ended.error is None
    assert isinstance((await world.lane(key, RUN_LANE))[-1], events.RunCancelled)


async def test_who_stops_a_run_that_has_an_answer_keeps_it(world: World) -> None:
    replica = await world.replica()
    key = await world.begin()
    await replica._endings.on_generation_ended(await (await world.work_on(key, "m-1")).finish("good"))
    assert (await cancel(world, key)).status == "completed"
    assert [lane.status for lane in (await world.ended(key)).lanes] == ["completed", "cancelled"]


async def test_stopping_what_has_ended_changes_nothing(world: World) -> None:
    await world.replica()
    key = await world.completed()
    before, log = (await world.get(key), await world.row(key)), await world.logged(key)
    assert (await cancel(world, key)).status == "completed"
    assert await cancel_lane(world, key, "m-1") == before[0]
    assert (await world.get(key), await world.row(key)) == before
    assert await world.logged(key) == log


async def test_a_run_that_is_not_on_the_bus_yet_is_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    replica = await world.replica()

    async def away(*_: Any) -> None:
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "begin_lane", away)
        key = await world.begin()
    assert await world.logged(key) == {}
    assert (await cancel(world, key)).status == "cancelled"
    await world.pool.execute("UPDATE compare.run SET created_at = created_at - interval '1 minute'")
    await replica._dispatcher.sweep()
    assert await world.run_lane(key) == ["run.created", "run.cancelled"]
    assert await world.orders(key) == []


async def test_every_lane_stopped_by_hand_is_a_run_that_was_stopped(world: World) -> None:
    await world.replica()
    key = await world.begin()
    await cancel_lane(world, key, "m-1")
    found = await cancel_lane(world, key, "m-2")
    assert (found.status, found.error) == ("cancelled", None)


async def test_a_lane_of_another_run_is_unknown(world: World) -> None:
    await world.replica()
    one, other = await world.begin(), await world.begin()
    lane = (await world.lanes(other))[0]["lane"]
    assert await world.refused(CancelLane(owner=OWNER, run_id=one.run, lane=lane)) == "unknown_lane"

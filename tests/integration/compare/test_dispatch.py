"""A run that is committed reaches the bus, whatever dies in between; and once, however often that is tried."""

import asyncio
from typing import Any

import pytest

from contracts.compare import LaneWish, StartComparison
from contracts.generation import Parameters
from kit.ids import new_id
from kit.runlog.lane import RunKey
from services.compare import dispatch
from tests.integration.compare.world import HELLO, OWNER, World, wishes


class CrashError(Exception):
    """The process that dispatches is gone."""


async def begun_and_left(world: World, monkeypatch: pytest.MonkeyPatch, name: str, works: int) -> RunKey:
    """A run whose dispatch came to nothing after `works` uses of something; long enough ago for the sweep."""
    original, used = getattr(dispatch, name), 0

    async def crashing(*arguments: Any, **options: Any) -> Any:
        nonlocal used
        used += 1
        if used > works:
            raise CrashError
        return await original(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(dispatch, name, crashing)
        key = await world.begin("m-1", "m-2", "m-3")
        await asyncio.gather(*world.replicas[0]._dispatcher._telling)
    await world.pool.execute("UPDATE compare.run SET created_at = created_at - interval '1 minute'")
    return key


@pytest.mark.parametrize(("name", "works"), [("begin_lane", 0), ("publish", 0), ("publish", 1), ("publish", 3)])
async def test_what_was_left_is_made_up_for(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, works: int
) -> None:
    """Nothing on the bus; the beginning only; one order of three; all orders and no fact about them."""
    replica = await world.replica()
    key = await begun_and_left(world, monkeypatch, name, works)
    assert len(await world.orders(key)) == (min(works, 3) if name == "publish" else 0)
    for _ in range(2):
        await replica._dispatcher.sweep()
        await asyncio.gather(*replica._dispatcher._telling)
    assert sorted(order.model for order in await world.orders(key)) == ["m-1", "m-2", "m-3"]
    assert await world.run_lane(key) == ["run.created"]
    assert (await world.facts())[key.run] == ["evt.compare.run.created"]
    await replica._marks.write()
    assert (await world.row(key))["dispatched_at"] is not None


async def test_a_lane_that_ended_meanwhile_is_not_asked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    replica = await world.replica()
    key = await begun_and_left(world, monkeypatch, "begin_lane", 0)
    fact = await (await world.work_on(key, "m-1")).finish("one")
    await replica._endings.on_generation_ended(fact)
    await replica._dispatcher.sweep()
    assert sorted(order.model for order in await world.orders(key)) == ["m-2", "m-3"]


async def test_two_replicas_do_not_sweep_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    replicas = [await world.replica(), await world.replica()]
    keys = [await begun_and_left(world, monkeypatch, "begin_lane", 0) for _ in range(3)]
    dispatched: list[str] = []
    for replica in replicas:
        original = replica._dispatcher.dispatch

        async def counting(compared: Any, original: Any = original) -> None:
            dispatched.append(compared.run.id)
            await asyncio.sleep(0.05)  # both are at it
            await original(compared)

        monkeypatch.setattr(replica._dispatcher, "dispatch", counting)
    await asyncio.gather(*(replica._dispatcher.sweep() for replica in replicas))
    assert sorted(dispatched) == sorted(key.run for key in keys)


async def test_a_repeated_request_dispatches_what_the_first_one_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.replica()
    key = await begun_and_left(world, monkeypatch, "begin_lane", 0)
    await world.ask(StartComparison(owner=OWNER, run_id=key.run, turns=HELLO, models=wishes("m-1", "m-2", "m-3")))
    assert len(await world.orders(key)) == 3


async def test_a_run_that_nobody_can_be_asked_is_told_to_its_end_by_the_sweep(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of its lanes had their endings in the tables; then the process died."""
    replica = await world.replica()

    async def dead(_: Any) -> None:
        raise CrashError

    with monkeypatch.context() as patch:
        patch.setattr(replica._endings, "tell", dead)
        turns = (HELLO[0].model_copy(update={"content": "word " * 400}),)
        run_id = new_id("cmp")
        models = (*wishes("small"), LaneWish(model="small", parameters=Parameters(temperature=1)))
        await world.ask(StartComparison(owner=OWNER, run_id=run_id, turns=turns, models=models))
    key = RunKey(OWNER.tenant, OWNER.user, run_id)
    assert await world.run_lane(key) == []
    await world.pool.execute("UPDATE compare.run SET created_at = created_at - interval '1 minute'")
    await replica._dispatcher.sweep()
    ended = await world.ended(key)
    assert ended.status == "failed"
    assert await world.run_lane(key) == ["run.created", "run.failed"]
    assert [len(await world.lane(key, lane.lane)) for lane in ended.lanes] == [1, 1]

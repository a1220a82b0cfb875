"""A replica that dies anywhere between two of its messages: what it left is done, once, and in order."""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from contracts import events
from contracts.subjects import START_STEP
from kit.bus.publish import publish
from kit.bus.streams import HANDLED_ORDERS
from kit.clock import utc_now
from kit.runlog.lane import RunKey
from services.architect import onward, step_handlers, sweep, telling
from tests.fixtures.polling import until
from tests.integration.architect.world import World, step

RUNS = 6


class Died(Exception):  # noqa: N818  (no error: it is what the test does)
    """The process is gone at this point."""


def dying(function: Callable[..., Any], rng: random.Random, share: float) -> Callable[..., Any]:
    """The same, but in some of all calls the process dies before it, and in as many after it."""

    async def call(*arguments: Any, **options: Any) -> Any:
        fate = rng.random()
        if fate < share:
            raise Died
        result = await function(*arguments, **options)
        if fate > 1 - share:
            raise Died
        return result

    return call


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_a_replica_leaves_is_done(world: World, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    monkeypatch.setattr(sweep, "LEFT_AFTER", timedelta(seconds=0.3))
    for module, name in ((onward, "publish"), (onward, "set_timer"), (telling, "publish"), (telling, "publish_stored")):
        monkeypatch.setattr(module, name, dying(getattr(module, name), rng, 0.1))
    for _ in range(2):
        await world.replica(sweeping=True, sweep_seconds=0.2, retry_base_seconds=0.1)
    keys = await asyncio.gather(
        *(world.begin(step("a", retries=1, timeout_seconds=60), step("b"), step("c", "a", "b")) for _ in range(RUNS))
    )

    async def answer_all(key: RunKey) -> None:
        await asyncio.gather(world.fail(key, "a"), world.answer(key, "b"))
        await world.answer(key, "a")
        await world.answer(key, "c")
        await world.until_ended(key)

    await asyncio.gather(*map(answer_all, keys))
    for key in keys:
        told = await world.told(key)
        assert isinstance(told[-1], events.RunCompleted)
        types = await world.types(key)
        assert len(types) == 10, types
        assert types.index("step.started c") > max(types.index("step.completed a"), types.index("step.completed b"))
        stored = await world.pool.fetch("SELECT event FROM architect.run_event WHERE run_id = $1 ORDER BY n", key.run)
        assert [row["event"].encode() for row in stored] == [events.encode(event) for event in told]
        assert len({order.lane for order in await world.orders(key)}) == 4


async def test_an_order_to_begin_that_was_given_up_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    service = await world.replica()
    key = await world.begin(step("a"), step("b", "a"))
    answering = await world.answering(key, "a")
    await world.bus.client.jetstream().delete_consumer(
        "WORK", HANDLED_ORDERS[START_STEP]
    )  # whoever had the order loses it
    await publish(world.bus, await answering.finish("A"))
    await world.until_status(key, "b", "ready")
    monkeypatch.setattr(step_handlers, "BEGUN_WITHIN", timedelta(0))

    async def begun() -> bool:
        await service._steps.sweep(utc_now(), 10)
        return (await world.step(key, "b")).status == "running"

    await until(begun)

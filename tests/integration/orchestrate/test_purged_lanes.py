"""Taking a run with several lanes out of the log, with all that was too long for it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from contracts import events
from contracts.content import Turn
from contracts.generation import GenerateRequest
from contracts.message import Owner
from kit.bus.blobs import BlobGoneError
from kit.clock import utc_now
from kit.db.statement import Statement
from kit.ids import new_id
from kit.orchestrate.carried import carried, carried_alike
from kit.orchestrate.duty import Duty
from kit.orchestrate.purge_table import PurgeTable
from kit.orchestrate.retention import Retention
from kit.runlog.lane import RunKey
from tests.fixtures.bus import subjects_of
from tests.integration.orchestrate.orchestra import DUTY_SECONDS, SCHEMA, Orchestra

OWNER = Owner(tenant="t", user="u")
LONG = "a text that no message carries " * 5000
LANES = ("one", "two", "three")
OLD = 3600.0
MESSAGES = 1 + 4 * len(LANES)
"""Of a run in the log: its beginning, and two snapshots, a beginning and an ending of each lane."""


def requests(run_id: str, text: str = LONG) -> list[GenerateRequest]:
    turns = (Turn(role="user", content=text),)
    common: dict[str, Any] = {"owner": OWNER, "run_id": run_id, "messages": turns, "requested_at": 1}
    return [GenerateRequest(**common, lane=lane, model=f"m of {lane}") for lane in LANES]


async def exists(orchestra: Orchestra, reference: str) -> bool:
    try:
        return bool(await orchestra.blobs.get(reference))
    except BlobGoneError:
        return False


async def test_a_long_question_is_kept_once_for_all_lanes(orchestra: Orchestra) -> None:
    run_id = new_id("cmp")
    orders = await carried_alike(orchestra.blobs, requests(run_id))
    assert {order.messages_ref for order in orders} == {f"{run_id}.run.messages"}
    assert [(order.lane, order.model, order.messages) for order in orders] == [
        (lane, f"m of {lane}", ()) for lane in LANES
    ]
    kept = json.loads(await orchestra.blobs.get(f"{run_id}.run.messages"))
    assert [Turn.model_validate(turn) for turn in kept["messages"]] == [Turn(role="user", content=LONG)]
    assert await carried_alike(orchestra.blobs, requests(run_id)) == orders


async def test_a_short_question_is_carried(orchestra: Orchestra) -> None:
    orders = requests(new_id("cmp"), "Hello")
    assert list(await carried_alike(orchestra.blobs, orders)) == orders
    assert await carried(orchestra.blobs, orders[0]) == orders[0]


async def test_different_questions_are_not_taken_for_one(orchestra: Orchestra) -> None:
    orders = requests(new_id("cmp"))
    with pytest.raises(ValueError, match="different"):
        await carried_alike(orchestra.blobs, [orders[0], *requests(orders[0].run_id, "another")])


async def told_long(orchestra: Orchestra) -> tuple[RunKey, list[str]]:
    """A run that has ended, and the references to its long texts: questions, answers, snapshots."""
    key = await orchestra.begin(*LANES)
    orders = requests(key.run)
    await carried_alike(orchestra.blobs, orders)
    await carried(orchestra.blobs, orders[1])
    names = [f"{key.run}.run.messages", f"{key.run}.two.messages"]
    for lane in LANES:
        for number in (1, 2):
            names.append(await orchestra.blobs.put(f"{key.run}.{lane}.snapshot {number}", b"long"))
            common: dict[str, Any] = {"lane": lane, "at": 1, "attempt": 1, "model": "m", "provider": "p"}
            event = events.GenerationSnapshot(**common, covers=number, text_ref=names[-1])
            await orchestra.bus.client.jetstream().publish(key.lane(f"{lane}~s"), events.encode(event))
        names.append(await orchestra.blobs.put(f"{key.run}.{lane}.text", b"long"))
        async with orchestra.work_on(key, lane) as worker:
            await worker.finish("", text_ref=names[-1])
    return key, names


def retention(orchestra: Orchestra, purges: PurgeTable) -> Retention:
    async def order() -> bool:
        return bool(await purges.retire(orchestra.database, OLD, 10))

    duty = Duty(orchestra.database, SCHEMA, new_id("purge"), "one", DUTY_SECONDS)
    parts = (orchestra.bus, orchestra.database, orchestra.blobs, orchestra.reads, duty, purges, order)
    return Retention(*parts, purges_per_second=1000, idle_seconds=1)


async def store(orchestra: Orchestra, key: RunKey, age: float) -> None:
    """A run that ended so many seconds ago, in the table."""
    statement = Statement(f"INSERT INTO {SCHEMA}.run VALUES (:id, :tenant, :user, :then, :then, :then)")
    then = utc_now() - timedelta(seconds=age)
    await orchestra.database.fetch(statement, {"id": key.run, "tenant": key.tenant, "user": key.user, "then": then})


async def logged(orchestra: Orchestra, key: RunKey) -> dict[str, int]:
    return await subjects_of(orchestra.bus.client, "RUNS", key.all_lanes)


async def test_all_lanes_of_an_old_run_go_with_their_long_texts_and_nothing_of_a_young_one(
    orchestra: Orchestra,
) -> None:
    purging = retention(orchestra, PurgeTable(SCHEMA))
    (old, gone), (young, stays) = await told_long(orchestra), await told_long(orchestra)
    await store(orchestra, old, OLD + 60)
    await store(orchestra, young, OLD - 60)
    assert await purging.step() == 0.0, "it is ordered"
    assert await purging.step()
    assert await purging.step() is None
    assert await logged(orchestra, old) == {}
    assert sum((await logged(orchestra, young)).values()) == MESSAGES
    assert [name for name in gone if await exists(orchestra, name)] == []
    assert [name for name in stays if not await exists(orchestra, name)] == []


async def test_a_question_that_was_short_by_its_row_is_not_looked_for(orchestra: Orchestra) -> None:
    purging = retention(orchestra, PurgeTable(SCHEMA, long="length(run.id) > 1000"))
    key, names = await told_long(orchestra)
    await store(orchestra, key, OLD + 60)
    while await purging.step() is not None:
        pass
    assert await logged(orchestra, key) == {}
    assert [name for name in names if await exists(orchestra, name)] == names[:2]


async def test_an_order_that_names_everybody_touches_nobody(orchestra: Orchestra) -> None:
    """Neither the logs of others nor their long texts."""
    purges = PurgeTable(SCHEMA)
    key, names = await told_long(orchestra)
    await purges.ask(orchestra.database, OWNER, "*")
    purging = retention(orchestra, purges)
    assert await purging.step() is not None
    assert sum((await logged(orchestra, key)).values()) == MESSAGES
    assert [name for name in names if not await exists(orchestra, name)] == []

"""Every run ends, whatever died; and none ends that somebody is at."""

from typing import Any

import pytest

from contracts import events
from kit.clock import now_ms
from kit.orchestrate import watchdog
from kit.orchestrate.watchdog import STALL_SECONDS
from kit.runlog.writer import FencedError
from tests.integration.chat.watching import PERIOD, UNANSWERED, Watched, ended
from tests.integration.chat.world import World

FAILED = events.GenerationFailed


async def test_a_run_that_nobody_takes_up_ends_as_failed_and_costs_nothing(world: World) -> None:
    watched = Watched(await world.replica())
    key = await world.begin()
    await watched.look()
    await watched.pass_time(UNANSWERED - 1)
    assert (await world.row(key))["status"] == "running", "it may wait for a worker for so long"
    await watched.pass_time(1)
    row = await ended(world, key)
    assert row["status"] == "failed"
    (ending,) = await world.lane(key)
    assert isinstance(ending, FAILED)
    assert (ending.error.code, ending.text, ending.attempt, ending.cost_usd) == ("no_worker", "", 0, "0")
    assert ending.usage == events.Usage(estimated=True)
    assert await world.run_lane(key) == ["run.created", "run.failed"]
    reply = await world.reply(key)
    assert (reply["status"], reply["cost_usd"], reply["usage"]["estimated"]) == ("failed", "0", True)
    assert sorted((await world.facts())[key.run]) == [
        "evt.chat.run.created",
        "evt.chat.run.failed",
        "evt.inference.generation.failed",
    ]


async def test_a_run_whose_worker_died_keeps_every_word_and_says_what_it_cost(world: World) -> None:
    watched = Watched(await world.replica())
    key = await world.begin("A question of 33 characters. Yes.")
    worker = await world.work_on(key)
    await worker.say("dropped")
    await worker.tell(events.GenerationStarted(lane="main", at=now_ms(), attempt=2, model="dear", provider="q"))
    await worker.tell(events.GenerationRestarted(lane="main", at=now_ms(), attempt=2))
    await worker.say("thought ", kind="generation.reasoning")
    await worker.say("kept ")
    await worker.tell(events.Notice(lane="main", at=now_ms(), code="retrying", message="Wait."))
    await worker.tell(events.GenerationAttached(lane="main", at=now_ms(), attempt=2, reference="r"))
    await worker.tell(events.GenerationToolCall(lane="main", at=now_ms(), call_id="c", name="f", arguments="{}"))
    await worker.die()
    await watched.look()
    await watched.pass_time(UNANSWERED)
    row = await ended(world, key)
    assert row["status"] == "failed"
    ending = (await world.lane(key))[-1]
    assert isinstance(ending, FAILED)
    assert (ending.error.code, ending.text, ending.reasoning) == ("abandoned", "kept ", "thought ")
    assert ending.tool_calls == (events.ToolCall("c", "f", "{}"),)
    assert (ending.attempt, ending.model, ending.provider) == (2, "dear", "q")
    assert ending.usage == events.Usage(input_tokens=2 * 9, output_tokens=3 + 2, reasoning_tokens=2, estimated=True)
    assert ending.cost_usd == "0.00028", "18 tokens in, 5 out, at the prices of the model that answered last"
    reply = await world.reply(key)
    assert (reply["content"], reply["model"], reply["cost_usd"]) == ("kept ", "dear", "0.00028")
    assert reply["usage"]["estimated"]
    with pytest.raises(FencedError):
        await worker.say("late")
    assert (await world.lane(key))[-1] == ending


async def test_a_worker_that_answers_may_be_silent_for_hours(world: World) -> None:
    watched = Watched(await world.replica())
    key = await world.begin()
    worker = await world.work_on(key)
    await watched.look()
    await watched.pass_time(3 * UNANSWERED)
    assert worker.pings >= 3 * UNANSWERED / PERIOD, "it was asked at every look"
    assert (await world.row(key))["status"] == "running"
    await worker.die()
    await watched.pass_time(UNANSWERED - 1)
    assert (await world.row(key))["status"] == "running", "counted from its last sign of life"
    await watched.pass_time(1)
    assert (await ended(world, key))["error"] is not None


async def test_a_worker_that_hangs_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hears the question and does not answer, for its own loop stands still."""
    monkeypatch.setattr(watchdog, "PING_SECONDS", 0.02)
    watched = Watched(await world.replica())
    key = await world.begin()
    worker = await world.work_on(key)
    worker.hangs = True
    await watched.look()
    await watched.pass_time(UNANSWERED)
    assert worker.pings >= UNANSWERED / PERIOD
    assert (await ended(world, key))["error"] is not None
    with pytest.raises(FencedError):
        await worker.say("late")


async def test_whoever_writes_is_alive(world: World) -> None:
    """Takeovers, one after the other, none of whose workers lives long enough to be asked."""
    watched = Watched(await world.replica())
    key = await world.begin()
    worker = await world.work_on(key)
    await worker.die()
    for _ in range(5):
        await watched.look()
        await watched.pass_time(UNANSWERED - PERIOD)
        await worker.say("word ")
        watched.now += PERIOD
    await watched.look()
    assert (await world.row(key))["status"] == "running"


async def test_a_process_that_stood_still_counts_from_the_beginning(world: World) -> None:
    """It does not know whether somebody answered meanwhile, and all others may have stood still as well."""
    watched = Watched(await world.replica())
    key = await world.begin()
    await watched.look()
    await watched.pass_time(UNANSWERED - 1)
    watched.now += PERIOD + STALL_SECONDS + 1
    await watched.look()
    await watched.look()
    await watched.pass_time(UNANSWERED - 1)
    assert (await world.row(key))["status"] == "running"
    await watched.pass_time(1)
    assert (await ended(world, key))["status"] == "failed"


async def test_a_run_that_can_never_be_dispatched_ends(world: World) -> None:
    watched = Watched(await world.replica())
    key = await world.begin()
    await world.execute("""UPDATE chat.run SET request = '{"messages": "none"}', dispatched_at = NULL""")
    await watched.look()
    await watched.pass_time(UNANSWERED)
    assert (await ended(world, key))["status"] == "failed"
    assert [events.type_of(event) for event in await world.lane(key)] == ["generation.failed"]


async def test_one_run_that_cannot_be_helped_keeps_no_other_waiting(world: World) -> None:
    watched = Watched(await world.replica())
    broken, good = await world.begin(), await world.begin()
    for key in (broken, good):
        await (await world.work_on(key)).finish("all")
    unknown = b'{"type":"generation.completed","lane":"main","at":1,"attempt":1,"model":"m","finish_reason":"unknown"}'
    await world.bus.client.jetstream().publish(broken.lane("main"), unknown)
    await watched.look()
    await watched.pass_time(PERIOD)
    assert (await ended(world, good))["status"] == "completed"
    assert (await world.row(broken))["status"] == "running"


async def test_a_connection_that_is_lost_while_it_asks_decides_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await world.replica()
    watched = Watched(service)
    key = await world.begin()
    await watched.look()
    await watched.pass_time(UNANSWERED - 1)

    async def nobody_hears(_: Any) -> bool:
        for callback in service._bus.on_disconnect:
            callback()
        return False

    monkeypatch.setattr(watched._watchdog, "_answers", nobody_hears)
    await watched.pass_time(1)
    assert (await world.row(key))["status"] == "running"
    assert await world.lane(key) == []

"""Stopping a run with several lanes: all at the same time, each by whoever can."""

import asyncio
from typing import Any

import pytest

from contracts import events
from kit.orchestrate import cancel
from tests.fixtures.polling import until
from tests.integration.orchestrate.orchestra import Orchestra

LANES = ("alive", "dead", "empty", "finished")


async def test_each_lane_is_ended_by_whoever_can_and_none_waits_for_another(
    orchestra: Orchestra, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker that lives answers only when the others have their endings: in turn it would never come to that."""
    monkeypatch.setattr(cancel, "WORKER_ANSWERS_SECONDS", 30)
    key = await orchestra.begin(*LANES)
    async with orchestra.work_on(key, "alive") as alive, orchestra.work_on(key, "dead") as dead:
        async with orchestra.work_on(key, "finished") as finished:
            await finished.finish("all")
        await dead.say("kept")
        await dead.die()
        stopping = asyncio.create_task(
            orchestra.canceller.cancel_all([orchestra.kept.whole(key, lane) for lane in LANES])
        )
        for lane in LANES[1:]:
            await until(lambda lane=lane: orchestra.ending(key, lane))  # type: ignore[misc]
        await alive.finish("stopped by its worker", events.GenerationCancelled)
        await alive.stops[0].respond(b"")
        await stopping
    endings = {lane: await orchestra.ending(key, lane) for lane in LANES}
    assert {lane: events.type_of(ending) for lane, ending in endings.items()} == {
        "alive": "generation.cancelled",
        "dead": "generation.cancelled",
        "empty": "generation.cancelled",
        "finished": "generation.completed",
    }
    assert [endings[lane].text for lane in LANES] == ["stopped by its worker", "kept", "", "all"]


async def test_a_lane_that_cannot_be_stopped_keeps_no_other_going(
    orchestra: Orchestra, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await orchestra.begin("a", "b")
    end = orchestra.stand_in.end

    async def not_a(generation: Any, error: Any) -> bool:
        if generation.lane == "a":
            raise TimeoutError("the log is away")
        return await end(generation, error)

    monkeypatch.setattr(orchestra.stand_in, "end", not_a)
    with pytest.raises(TimeoutError, match="away"):
        await orchestra.canceller.cancel_all([orchestra.kept.whole(key, lane) for lane in ("a", "b")])
    assert await orchestra.ending(key, "a") is None
    assert (await orchestra.ending(key, "b")).lane == "b"


async def test_two_that_stop_the_same_lanes_end_each_once(orchestra: Orchestra) -> None:
    key = await orchestra.begin("a", "b")
    lanes = [orchestra.kept.whole(key, lane) for lane in ("a", "b")]
    await asyncio.gather(*(orchestra.canceller.cancel_all(lanes) for _ in range(3)))
    for lane in ("a", "b"):
        assert [events.type_of(event) for event in await orchestra.lane(key, lane)] == ["generation.cancelled"]

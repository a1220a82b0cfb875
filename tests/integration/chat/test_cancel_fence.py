"""An ending that chat writes in a worker's place: every word that is in the log before it, and what that cost."""

from typing import Any

import pytest

from contracts import events
from kit.clock import now_ms
from kit.orchestrate.cancel import Canceller
from kit.orchestrate.generation import Generation
from kit.orchestrate.stand_in import StandIn
from kit.runlog.reads import LogReads
from kit.runlog.writer import FencedError
from services.chat.generation import generation_of
from services.chat.models import RunRow
from services.chat.service import ChatService
from tests.fixtures.polling import until
from tests.integration.chat.worker import Answering
from tests.integration.chat.world import World


class LateWorker(LogReads):
    """Reads like the others, but a worker that was thought dead writes one more word right after the first time."""

    worker: Answering | None = None

    async def lane(self, subject: str) -> list[tuple[int, events.Event | None]]:
        told = await super().lane(subject)
        if self.worker is not None:
            worker, self.worker = self.worker, None
            await worker.say("late ")
        return told


async def late(service: ChatService, worker: Answering) -> tuple[StandIn, Generation]:
    """Who stands in for a worker that is only late, and the generation."""
    reads = LateWorker(service._bus, 4)
    await reads.start()
    reads.worker = worker
    run = await service._database.run(lambda session: session.get(RunRow, worker.key.run))
    assert run is not None
    return StandIn(service._bus, reads, service._blobs, service._offers), generation_of(run)


async def test_what_a_late_worker_adds_is_in_the_ending(world: World) -> None:
    service = await world.replica()
    key = await world.begin()
    worker = await world.work_on(key)
    await worker.die()
    await worker.say("thought ", kind="generation.reasoning")
    await worker.say("early ")
    stand_in, generation = await late(service, worker)
    await Canceller(service._bus, stand_in).cancel(generation)
    told = await world.lane(key)
    ending = told[-1]
    assert isinstance(ending, events.GenerationCancelled)
    assert ending.text == "early late "
    assert ending.reasoning == "thought "
    with pytest.raises(FencedError, match="taken over"):
        await worker.say("too late")
    await Canceller(service._bus, stand_in).cancel(generation)
    assert await world.lane(key) == told, "stopped twice, ended once"


async def test_a_worker_that_writes_after_all_is_asked_again_and_not_ended(world: World) -> None:
    """The watchdog gives way: whoever writes is alive."""
    service = await world.replica()
    worker = await world.work_on(await world.begin())
    stand_in, generation = await late(service, worker)
    assert not await stand_in.end(generation, events.Error("abandoned", "Nobody is left."))
    await worker.say("and on")
    assert not [event for event in await world.lane(worker.key) if isinstance(event, events.GenerationEnding)]


async def test_a_run_that_is_stopped_before_anything_has_its_beginning_and_costs_nothing(world: World) -> None:
    await world.replica()
    key = await world.begin()
    await world.cancel(key)

    async def ended() -> Any:
        return (await world.reply(key)) or None

    reply = await until(ended)
    (ending,) = await world.lane(key)
    assert (ending.usage, ending.cost_usd) == (events.Usage(estimated=True), "0")
    assert (reply["status"], reply["content"], reply["cost_usd"]) == ("cancelled", "", "0")
    assert ending.timings.first_token_ms is None


async def test_what_was_kept_of_a_stopped_answer_says_what_it_cost(world: World) -> None:
    """Two attempts, the second by a fallback: each is charged for the question, at the price of the second."""
    await world.replica()
    key = await world.begin("12345678", model="m", fallbacks=("dear",))
    worker = await world.work_on(key)
    await worker.tell(events.GenerationStarted(lane="main", at=now_ms(), attempt=2, model="dear", provider="q"))
    await worker.say("1234", "5678")
    await worker.die()
    await world.cancel(key)

    async def ended() -> Any:
        return (await world.reply(key)) or None

    reply = await until(ended)
    assert (reply["status"], reply["content"], reply["model"]) == ("cancelled", "12345678", "dear")
    assert {name: reply["usage"][name] for name in ("input_tokens", "output_tokens", "estimated")} == {
        "input_tokens": 4,
        "output_tokens": 2,
        "estimated": True,
    }
    assert reply["cost_usd"] == "0.00008"
    timings = (await world.lane(key))[-1].timings
    assert 0 <= timings.queued_ms <= timings.first_token_ms <= timings.total_ms

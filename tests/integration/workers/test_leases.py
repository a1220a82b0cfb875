"""Who is at a request: the worker that shows it by its beats, and until it does not any more, nobody else."""

import asyncio
import signal

from tests.fixtures.bus import plain_client, subjects_of
from tests.fixtures.counting import CountingModel
from tests.fixtures.events import ENDINGS
from tests.fixtures.polling import until
from tests.fixtures.stack import Stack
from tests.fixtures.watchers import Watched, Watcher, begin
from tests.integration.workers.conftest import ACK, BEAT, WORKERS, Queue, Word, worker_of

MANY_OFFERS, BETWEEN_OFFERS_SECONDS = 40, 0.3
"""Whose turn it is changes every second: both ask for work every two."""


async def no_request_left(stack: Stack) -> None:
    """Wait until every request is done."""
    async with plain_client(stack.servers) as client:

        async def look() -> bool:
            return not await subjects_of(client, "WORK", ">")

        await until(look)


async def test_a_request_whose_worker_lives_stays_its_own(
    two_workers: Stack, model: CountingModel, queue: Queue
) -> None:
    """Beats hold it for longer than a lease; offered again all the same, whoever gets it asks its lane first."""
    async with two_workers.client() as http:
        watched = Watched(http, model)
        await watched.begin(["long"])
        for _ in range(3):
            assert await queue.beat() == Word(1, BEAT)
        for _ in range(MANY_OFFERS):
            await queue.offer_again()
            await asyncio.sleep(BETWEEN_OFFERS_SECONDS)
            if queue.left_alone:
                break
        assert queue.left_alone, "the other one got it, too"
        await watched.moved_on()
        await watched.end()
        await no_request_left(two_workers)
    assert len(model.calls["long"]) == 1
    fact, acknowledged = "evt.inference.generation.completed", ACK.decode()
    assert [told for told in queue.order if told in (fact, acknowledged)] == [fact, acknowledged]


async def test_a_worker_that_gets_its_own_request_again_beats_for_the_newest_delivery(
    two_workers: Stack, model: CountingModel, queue: Queue
) -> None:
    """A beat for an older delivery holds the lease as well; an acknowledgement is for the newest."""
    async with two_workers.client() as http:
        watched = Watched(http, model)
        await watched.begin(["mine"])
        owner = worker_of(two_workers, model, "mine")
        (other,) = (two_workers.processes[name] for name in WORKERS if two_workers.processes[name] is not owner)
        await other.stop()
        await queue.offer_again()
        word = await queue.beat(since=2)
        await watched.end()
        await queue.hears(Word(word.delivery, ACK))
    assert len(model.calls["mine"]) == 1


async def test_a_worker_that_was_stopped_for_longer_than_its_lease_wakes_up_and_is_silent(
    two_workers: Stack, model: CountingModel, queue: Queue
) -> None:
    """None of its words reaches the log, and nothing that it says hits its successor's hold on the request."""
    async with two_workers.client() as http:
        run_id = await begin(http, "stopped")
        watcher = Watcher(http, run_id)
        watching = asyncio.create_task(watcher.stay())

        async def heard() -> bool:
            return watcher.heard > 2

        await until(heard)
        paused = worker_of(two_workers, model, "stopped")
        assert paused.process is not None
        paused.process.send_signal(signal.SIGSTOP)

        async def taken_over() -> bool:
            return len(model.calls["stopped"]) == 2 and model.calls["stopped"][1].said > 2

        await until(taken_over)
        first, second = model.calls["stopped"]
        paused.process.send_signal(signal.SIGCONT)

        async def let_go() -> bool:
            return first.closed

        await until(let_go)
        await queue.beat(since=2)
        assert (await queue.state())["num_ack_pending"] == 1, "the second one still has it"
        model.stop.set()
        await watching
        await queue.hears(Word(2, ACK))
        assert {word.said for word in queue.words if word.delivery == 1} <= {BEAT}
        (seam,) = (number for number, event in enumerate(watcher.seen) if event.type == "generation.restarted")
        assert "".join(e.data["text"] for e in watcher.seen[seam:] if e.type == "generation.delta") == second.text
        assert first.text.startswith(
            "".join(e.data["text"] for e in watcher.seen[:seam] if e.type == "generation.delta")
        )
        assert [event.type for event in watcher.seen if event.type in ENDINGS] == ["run.completed"]
        assert watcher.told.one("generation.completed")["text"] == second.text


async def test_who_is_stopped_is_answered_when_the_ending_is_in_the_log(
    two_workers: Stack, model: CountingModel
) -> None:
    async with two_workers.client() as http, plain_client(two_workers.servers) as client:
        ids = await asyncio.gather(*(begin(http, f"stop {number}") for number in range(20)))

        async def all_asked() -> bool:
            return len(model.calls) == 20

        await until(all_asked)

        async def stop(run_id: str) -> None:
            (subject,) = await subjects_of(client, "RUNS", f"log.*.*.{run_id}.main")
            await client.request(subject.replace("log.", "control.cancel.", 1), b"", timeout=30)
            last = await client.jetstream().get_last_msg("RUNS", subject)
            assert b'"generation.cancelled"' in last.data

        await asyncio.gather(*map(stop, ids))

        async def all_closed() -> bool:
            return all(call.closed for (call,) in model.calls.values())

        await until(all_closed)


async def test_a_stop_is_not_held_up_by_a_worker_that_hangs(two_workers: Stack, model: CountingModel) -> None:
    """It is ended in its place, with its words; when it wakes up it adds none."""
    async with two_workers.client() as http:
        run_id = await begin(http, "hangs")
        watcher = Watcher(http, run_id)
        watching = asyncio.create_task(watcher.stay())

        async def heard() -> bool:
            return watcher.heard > 2

        await until(heard)
        hanging = worker_of(two_workers, model, "hangs")
        assert hanging.process is not None
        hanging.process.send_signal(signal.SIGSTOP)
        assert (await http.post(f"/v1/runs/{run_id}/cancel")).status_code == 200
        await watching
        hanging.process.send_signal(signal.SIGCONT)

        async def all_closed() -> bool:
            return all(call.closed for call in model.calls["hangs"])

        await until(all_closed)
        await no_request_left(two_workers)
        again = Watcher(http, run_id)
        await again.stay()
    assert [event.id for event in again.seen] == [event.id for event in watcher.seen]
    assert watcher.told.types[-2:] == ["generation.cancelled", "run.cancelled"]
    assert watcher.told.one("generation.cancelled")["text"] == watcher.told.text()

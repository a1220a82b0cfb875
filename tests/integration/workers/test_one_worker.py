"""What one worker does in which order, watched from inside: what it hears, writes, and says to the queue."""

import asyncio
import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
from nats.errors import TimeoutError as NatsTimeoutError

from contracts import events
from contracts.generation import GenerateRequest
from kit.bus.blobs import Blobs
from kit.bus.publish import publish
from kit.bus.streams import LEASE_SECONDS
from kit.runlog.writers import LogWriters
from services.inference import control, lease, worker
from services.inference.control import Control
from services.inference.generation import Generation
from services.inference.lease import Lease
from tests.fixtures.bus import subjects_of
from tests.fixtures.counting import CountingModel
from tests.fixtures.polling import until
from tests.integration.runlog.lane import DELTA, LateWorker
from tests.integration.workers.alone import Alone, a_request, key_of
from tests.integration.workers.conftest import BEAT, NAK, Queue, Word


async def test_a_worker_that_hands_over_waits_until_its_last_word_is_stored(
    alone: Alone, model: CountingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Handed over before, the next worker would read a lane that still grows."""
    monkeypatch.setattr(worker, "RELEASE_SECONDS", 60)
    queue, held, holding = Queue(alone.bus.client), list[bytes](), False
    fast = alone.service._bus.fast
    send = fast.send
    monkeypatch.setattr(fast, "send", lambda command: (held.append if holding else send)(command))
    await queue.listen()

    def given_back() -> list[Word]:
        return [word for word in queue.words if word.said != BEAT]

    await alone.service.start()
    key = await alone.ask("hand over")

    async def begun() -> bool:
        return bool(model.calls) and bool(await alone.said(key))

    await until(begun)
    holding, (call,) = True, model.calls["hand over"]
    before = call.said

    async def more() -> bool:
        return call.said > before + 3

    await until(more)
    stopping = asyncio.create_task(alone.service.stop())

    async def let_go() -> bool:
        return call.closed

    await until(let_go)
    assert not given_back(), "it holds the request while its words are on their way"
    said, holding = call.said, False
    for command in held:
        send(command)
    await stopping

    async def told() -> bool:
        return bool(given_back())

    await until(told)
    assert [(word.said, word.more) for word in given_back()] == [(NAK, b"")], "without delay: it costs no lease"
    text = await alone.said(key)
    assert call.text.startswith(text)
    assert len(text.split()) >= said - 1, "the last word may have been in the air when the connection was closed"


async def test_a_worker_can_be_stopped_from_the_moment_on_in_which_it_is_seen_to_begin(
    alone: Alone, model: CountingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, order = alone.service._bus, list[str]()
    subscribe, send = bus.client.subscribe, bus.fast.send

    async def subscribing(subject: str, *arguments: Any, **options: Any) -> Any:
        order.append(subject.partition(".")[0])
        return await subscribe(subject, *arguments, **options)

    def sending(command: bytes) -> None:
        order.append(command.removeprefix(b"HPUB ").partition(b".")[0].decode())
        send(command)

    monkeypatch.setattr(bus.client, "subscribe", subscribing)
    monkeypatch.setattr(bus.fast, "send", sending)
    await alone.service.start()
    key = await alone.ask("order")

    async def begun() -> bool:
        return bool(await alone.said(key))

    await until(begun)
    model.stop.set()
    await alone.service.stop()
    assert "log" in order
    assert "control" in order[: order.index("log")]


async def an_ended_lane(alone: Alone, request: GenerateRequest) -> int:
    writers = LogWriters(alone.bus)
    await writers.start()
    lane = writers.open(key_of(request), request.lane, attempt=1, last=0)
    common: dict[str, Any] = {"lane": "main", "at": 1, "attempt": 1, "model": "mock", "provider": "mock"}
    lane.event(events.GenerationStarted(**common))
    lane.text(DELTA, "one ")
    lane.event(events.GenerationCompleted(**common, text="one ", finish_reason="stop"))
    sequence = await lane.stored()
    await writers.stop()
    return sequence


async def test_an_ending_that_nobody_was_told_of_is_told_by_the_next_worker(alone: Alone, model: CountingModel) -> None:
    """Its worker died between the ending and the fact: the request is still in the queue."""
    request = a_request("ended")
    sequence = await an_ended_lane(alone, request)
    await publish(alone.bus, request)
    await alone.service.start()
    subject = "evt.inference.generation.completed"

    async def told() -> bool:
        return bool(await subjects_of(alone.bus.client, "EVENTS", subject))

    await until(told)

    async def done() -> bool:
        return not await subjects_of(alone.bus.client, "WORK", ">")

    await until(done)
    fact = (await alone.bus.client.jetstream().get_last_msg("EVENTS", subject)).data
    assert b'"sequence":%d' % sequence in fact
    assert request.run_id.encode() in fact
    await alone.service.stop()
    assert await alone.reads.newest(key_of(request).lane("main")) == sequence, "nothing was added"


async def test_a_request_that_is_given_up_ends_with_every_word_of_a_late_worker(alone: Alone) -> None:
    request = a_request("given up")
    await publish(alone.bus, request)
    (delivery,) = await (await alone.bus.client.jetstream().pull_subscribe_bind("inference", "WORK")).fetch(1)
    writers = LogWriters(alone.bus)
    await writers.start()
    lane = writers.open(key_of(request), request.lane, attempt=1, last=0)
    lane.text(DELTA, "early ")
    await lane.stored()
    reads = LateWorker(alone.bus, lane, ["late ", "later "])
    await reads.start()
    parts = dataclasses.replace(alone.service._worker._parts, bus=alone.bus, reads=reads, blobs=Blobs(alone.bus, 1))
    await Generation(parts, request, delivery).give_up(events.Error("too_many_attempts", "No."))
    told = [event for _, event in await alone.reads.lane(key_of(request).lane("main"))]
    ending = told[-1]
    assert isinstance(ending, events.GenerationFailed)
    assert ending.text == "".join(event.text for event in told if isinstance(event, events.GenerationDelta))
    await writers.stop()


async def test_a_worker_whose_generation_hangs_does_not_say_that_it_lives(
    alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers only as long as the generation's own loop has moved within the lease."""
    key, now = key_of(a_request("hangs")), 1000.0
    monkeypatch.setattr(control, "time", SimpleNamespace(monotonic=lambda: now))
    heard = Control(alone.bus, key, "main")
    await heard.listen(lambda: None)
    ping = f"control.ping.t.u.{key.run}.main"
    assert await alone.bus.client.request(ping, b"", timeout=30)
    now += LEASE_SECONDS + 0.1
    with pytest.raises(NatsTimeoutError):
        await alone.bus.client.request(ping, b"", timeout=0.2)
    heard.alive()
    assert await alone.bus.client.request(ping, b"", timeout=30)
    await heard.close()


class Delivery:
    """Counts the beats."""

    def __init__(self) -> None:
        self.beats = 0

    async def in_progress(self) -> None:
        self.beats += 1


async def test_a_worker_whose_log_is_silent_for_longer_than_the_lease_does_not_hold_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delivery: Any = Delivery()
    held = Lease(delivery)
    monkeypatch.setattr(lease, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    for since, beats in ((None, 1), (1000.0 - LEASE_SECONDS / 2, 2), (1000.0 - LEASE_SECONDS - 0.1, 2)):
        await held.beat(SimpleNamespace(unacknowledged_since=since))  # type: ignore[arg-type]
        assert delivery.beats == beats

"""Whose a request is: who asks and hears that somebody is at it leaves it for a while, and takes it when nobody is."""

import asyncio
from typing import Any

import pytest
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import NoRespondersError

from contracts import events
from contracts.generation import GenerateRequest
from kit.bus import connection
from kit.bus.publish import publish
from kit.runlog.writer import FencedError
from kit.runlog.writers import LogWriters
from kit.runtime.embedded_nats import EmbeddedNats
from services.inference import worker
from tests.fixtures.bus import subjects_of
from tests.fixtures.counting import CountingModel
from tests.fixtures.polling import until
from tests.integration.runlog.lane import DELTA
from tests.integration.workers.alone import Alone, a_request, key_of
from tests.integration.workers.conftest import BEAT, Queue

REDELIVER_SECONDS = 0.5


@pytest.fixture(autouse=True)
def soon_offered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that somebody else is at."""
    monkeypatch.setattr(worker, "REDELIVER_SECONDS", REDELIVER_SECONDS)


class Another:
    """Stands for another worker that is at a request: it has written something, and answers when it is asked."""

    def __init__(self, alone: Alone, request: GenerateRequest) -> None:
        self.pings: list[float] = []
        self._bus, self._request, self._writers = alone.bus, request, LogWriters(alone.bus)

    async def write(self, *, after: int = 0) -> None:
        await self._writers.start()
        lane = self._writers.open(key_of(self._request), self._request.lane, attempt=9, last=after)
        lane.event(events.GenerationStarted(lane="main", at=1, attempt=9, model="mock", provider="mock"))
        lane.text(DELTA, "its words ")
        await lane.stored()
        await self._writers.stop()

    async def answer(self) -> Subscription:
        async def at_it(ping: Msg) -> None:
            self.pings.append(asyncio.get_running_loop().time())
            await ping.respond(b"")

        return await self._bus.client.subscribe(f"control.ping.t.u.{self._request.run_id}.main", cb=at_it)

    async def pinged(self, times: int) -> None:
        async def often_enough() -> bool:
            return len(self.pings) >= times

        await until(often_enough)


async def assert_taken_over(alone: Alone, model: CountingModel, request: GenerateRequest) -> None:
    """Another attempt answers, to the end."""
    before = len(model.calls.get("whose", []))

    async def asked() -> bool:
        return len(model.calls.get("whose", [])) > before

    await until(asked)
    model.stop.set()

    async def done() -> bool:
        return not await subjects_of(alone.bus.client, "WORK", ">")

    await until(done)
    await alone.service.stop()
    told = [event for _, event in await alone.reads.lane(key_of(request).lane("main"))]
    assert any(isinstance(event, events.GenerationRestarted) for event in told)
    assert isinstance(told[-1], events.GenerationCompleted)


async def test_a_request_that_somebody_is_at_is_left_for_a_while_and_taken_when_nobody_is(
    alone: Alone, model: CountingModel
) -> None:
    request = a_request("whose")
    another = Another(alone, request)
    await another.write()
    hearing = await another.answer()
    await publish(alone.bus, request)
    await alone.service.start()
    await another.pinged(2)
    assert another.pings[1] - another.pings[0] > REDELIVER_SECONDS / 2
    await hearing.unsubscribe()
    await assert_taken_over(alone, model, request)


async def test_after_an_outage_the_others_are_given_time_to_come_back(
    alone: Alone, model: CountingModel, own_nats: EmbeddedNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are cut off at once and come back one by one, and the server may have forgotten that it has delivered."""
    request, bus = a_request("whose"), alone.service._bus
    another, in_vain, asking = Another(alone, request), list[str](), bus.client.request
    await another.write()
    await alone.service.start()
    monkeypatch.setattr(connection, "SETTLING_SECONDS", 3600)
    await own_nats.kill()
    await own_nats.start()

    async def back() -> bool:
        return bus.connected and alone.bus.connected and bus.settling

    await until(back)

    async def request_(subject: str, *arguments: Any, **options: Any) -> Msg:
        try:
            return await asking(subject, *arguments, **options)
        except NoRespondersError:
            in_vain.append(subject)
            raise

    monkeypatch.setattr(bus.client, "request", request_)
    await publish(alone.bus, request)

    async def asked_in_vain() -> bool:
        return sum(subject.startswith("control.ping.") for subject in in_vain) > 2

    await until(asked_in_vain)
    hearing = await another.answer()
    await another.pinged(1)
    assert not model.calls, "nobody has begun in its place"
    await hearing.unsubscribe()
    monkeypatch.setattr(connection, "SETTLING_SECONDS", 0)
    await assert_taken_over(alone, model, request)


async def test_after_an_outage_a_request_that_nobody_has_begun_waits_for_nobody(
    alone: Alone, model: CountingModel, own_nats: EmbeddedNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lane is empty: should another worker have it after all, only one of them is let in."""
    request, bus = a_request("whose"), alone.service._bus
    await alone.service.start()
    monkeypatch.setattr(connection, "SETTLING_SECONDS", 3600)
    await own_nats.kill()
    await own_nats.start()

    async def back() -> bool:
        return bus.connected and alone.bus.connected and bus.settling

    await until(back)
    await publish(alone.bus, request)

    async def begun() -> bool:
        return bool(await alone.said(key_of(request)))

    await until(begun)
    model.stop.set()


async def test_a_worker_that_learns_at_its_ending_that_it_was_replaced_is_silent(
    alone: Alone, model: CountingModel
) -> None:
    """It says neither that the request is done nor that it is free: that is for the other one to say."""
    request, queue = a_request("whose"), Queue(alone.bus.client)
    await queue.listen()
    await alone.service.start()
    await publish(alone.bus, request)

    async def begun() -> bool:
        return bool(await alone.said(key_of(request)))

    await until(begun)
    lane = key_of(request).lane("main")
    while True:
        last = await alone.reads.newest(lane)
        try:
            await Another(alone, request).write(after=last)
        except FencedError:
            continue  # the model has said one more word
        break
    model.stop.set()

    async def over() -> bool:
        return not alone.service._worker._tasks

    await until(over)
    await alone.service.stop()
    assert {word.said for word in queue.words} <= {BEAT}
    told = [event for _, event in await alone.reads.lane(lane)]
    assert isinstance(told[-1], events.GenerationDelta)
    assert told[-1].text == "its words "

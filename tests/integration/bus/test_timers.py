"""Timers: the bus keeps a message until its time, and then until somebody has handled it."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from contracts import subjects
from contracts.architect_work import StartStep, TimeIsUp
from contracts.generation import GenerateRequest
from contracts.message import Owner
from kit.bus.api import JetStreamError
from kit.bus.broker import make_broker, of_work
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.bus.streams import declare_streams
from kit.bus.timers import drop_timer, set_timer
from kit.runtime.embedded_nats import EmbeddedNats
from kit.settings import BusSettings
from tests.fixtures.bus import api, bus_to, subjects_of
from tests.fixtures.polling import until

OWNER = Owner(tenant="t", user="u")
MOMENT = timedelta(seconds=0.2)
SOON = timedelta(seconds=1)
WEEKS = timedelta(days=60)


def now() -> datetime:
    return datetime.now(UTC)


def time_is_up(step: str = "draft", turn: int = 0) -> TimeIsUp:
    return TimeIsUp(owner=OWNER, run_id="arc_1", what="retry", step=step, turn=turn)


class Replica:
    """One process of a service, as far as the bus sees it."""

    def __init__(self) -> None:
        self.seen: list[TimeIsUp] = []
        self.moments: list[datetime] = []
        self.does: Callable[[TimeIsUp], None] = lambda _: None

    async def handle(self, message: TimeIsUp) -> None:
        self.seen.append(message)
        self.moments.append(now())
        self.does(message)

    @property
    def steps(self) -> list[str]:
        return [message.step for message in self.seen]

    async def saw(self, *steps: str) -> None:
        async def look() -> bool:
            return set(steps) <= set(self.steps)

        await until(look)


@contextlib.asynccontextmanager
async def replica(url: str, bus: Bus) -> AsyncIterator[Replica]:
    handler = Replica()
    broker = make_broker(BusSettings(url=(url,)), "test", bus)
    broker.subscriber(subjects.ARCHITECT_TIME_IS_UP, **of_work(subjects.ARCHITECT_TIME_IS_UP, 8))(handler.handle)
    await broker.start()
    try:
        yield handler
    finally:
        await broker.stop()


@pytest.fixture
async def bus(own_nats: EmbeddedNats) -> AsyncIterator[Bus]:
    async with bus_to(own_nats.url) as connected:
        await declare_streams(connected.client, 1)
        yield connected


async def kept(bus: Bus) -> dict[str, int]:
    """What waits: timers, and what has gone off and is not handled."""
    return await subjects_of(bus.client, "TIMERS", ">")


async def nothing_is_kept(bus: Bus) -> None:
    async def look() -> bool:
        return not await kept(bus)

    await until(look)


async def test_a_timer_goes_off_once_and_not_before_its_time(bus: Bus, own_nats: EmbeddedNats) -> None:
    async with replica(own_nats.url, bus) as one:
        at = now() + SOON
        await set_timer(bus, time_is_up(turn=7), "a", at)
        await one.saw("draft")
        await nothing_is_kept(bus)
    assert one.seen == [time_is_up(turn=7)]
    assert one.moments[0] >= at


async def test_a_moment_that_has_passed_is_now(bus: Bus, own_nats: EmbeddedNats) -> None:
    async with replica(own_nats.url, bus) as one:
        await set_timer(bus, time_is_up(), "a", now() - WEEKS)
        await one.saw("draft")
        await nothing_is_kept(bus)
    assert len(one.seen) == 1


async def test_the_moment_may_be_given_in_any_time_zone(bus: Bus, own_nats: EmbeddedNats) -> None:
    async with replica(own_nats.url, bus) as one:
        at = (now() + SOON).astimezone(timezone(timedelta(hours=-9)))
        await set_timer(bus, time_is_up(), "a", at)
        await one.saw("draft")
    assert one.moments[0] >= at


async def test_it_comes_again_until_it_is_handled(bus: Bus, own_nats: EmbeddedNats) -> None:
    async with replica(own_nats.url, bus) as one:

        def fail_twice(_: TimeIsUp) -> None:
            if len(one.seen) < 3:
                raise ValueError("not yet")

        one.does = fail_twice
        await set_timer(bus, time_is_up(), "a", now())
        await nothing_is_kept(bus)
    assert len(one.seen) == 3


async def test_a_timer_that_is_set_again_replaces_the_one_before(bus: Bus, own_nats: EmbeddedNats) -> None:
    async with replica(own_nats.url, bus) as one:
        await set_timer(bus, time_is_up("later", turn=1), "a", now() + WEEKS)
        await set_timer(bus, time_is_up("sooner", turn=2), "a", now() + 2 * WEEKS)
        await set_timer(bus, time_is_up("sooner", turn=2), "a", now() + 2 * WEEKS)
        assert await kept(bus) == {"timer.at.a": 1}
        await set_timer(bus, time_is_up("sooner", turn=2), "a", now())
        await one.saw("sooner")
        await nothing_is_kept(bus)
    assert one.steps == ["sooner"]


async def test_a_timer_that_is_put_off_does_not_go_off_at_its_first_moment(bus: Bus, own_nats: EmbeddedNats) -> None:
    async with replica(own_nats.url, bus) as one:
        first = now() + 2 * SOON
        await set_timer(bus, time_is_up("put off"), "a", first)
        await set_timer(bus, time_is_up("put off"), "a", now() + WEEKS)
        await set_timer(bus, time_is_up("after it"), "b", first + MOMENT)
        await one.saw("after it")
    assert one.steps == ["after it"]
    assert await kept(bus) == {"timer.at.a": 1}


async def test_a_timer_that_is_dropped_is_silent(bus: Bus, own_nats: EmbeddedNats) -> None:
    async with replica(own_nats.url, bus) as one:
        at = now() + 2 * SOON
        for name in ("architect.arc_1.retry.a", "architect.arc_1.retry.b", "architect.arc_1.retry.b2"):
            await set_timer(bus, time_is_up(name.rpartition(".")[2]), name, at)
        await drop_timer(bus, "architect.arc_1.retry.b")
        await set_timer(bus, time_is_up("last"), "last", at + MOMENT)
        await one.saw("a", "b2", "last")
    assert sorted(one.steps) == ["a", "b2", "last"]


async def test_dropping_what_is_not_there_or_too_late_is_no_harm(bus: Bus, own_nats: EmbeddedNats) -> None:
    await drop_timer(bus, "never.set")
    await set_timer(bus, time_is_up(), "a", now())

    async def gone_off() -> bool:
        return await kept(bus) == {subjects.ARCHITECT_TIME_IS_UP: 1}

    await until(gone_off)
    await drop_timer(bus, "a")
    async with replica(own_nats.url, bus) as one:
        await one.saw("draft")
        await nothing_is_kept(bus)


async def test_what_is_due_while_nobody_is_there_waits(bus: Bus, own_nats: EmbeddedNats) -> None:
    await asyncio.gather(*(set_timer(bus, time_is_up(f"s{n}"), f"a.{n}", now()) for n in range(10)))

    async def due() -> bool:
        return await kept(bus) == {subjects.ARCHITECT_TIME_IS_UP: 10}

    await until(due)
    async with replica(own_nats.url, bus) as one:
        await one.saw(*(f"s{n}" for n in range(10)))
        await nothing_is_kept(bus)
    assert len(one.seen) == 10


@pytest.mark.parametrize("passes", [False, True], ids=["before its time", "beyond its time"])
async def test_a_timer_survives_the_death_of_the_server(bus: Bus, own_nats: EmbeddedNats, passes: bool) -> None:
    async with replica(own_nats.url, bus) as one:
        at = now() + 2 * SOON
        await set_timer(bus, time_is_up(), "a", at)
        await set_timer(bus, time_is_up("weeks"), "w", now() + WEEKS)
        await own_nats.kill()

        async def passed() -> bool:
            return now() > at

        if passes:
            await until(passed)
        await own_nats.start()
        await one.saw("draft")

        async def handled() -> bool:
            return await kept(bus) == {"timer.at.w": 1}

        await until(handled)
    assert one.steps == ["draft"]
    assert one.moments[0] >= at


async def test_a_thousand_timers_and_two_replicas_that_share_them(bus: Bus, own_nats: EmbeddedNats) -> None:
    count, at = 1000, now() + 2 * SOON
    async with replica(own_nats.url, bus) as one, bus_to(own_nats.url) as second, replica(own_nats.url, second) as two:
        await asyncio.gather(*(set_timer(bus, time_is_up(f"s{n}"), f"many.{n}", at) for n in range(count)))

        async def all_seen() -> bool:
            return len(one.seen) + len(two.seen) >= count

        await until(all_seen)
        await nothing_is_kept(bus)
    assert Counter(one.steps + two.steps) == Counter(f"s{n}" for n in range(count))
    assert one.seen
    assert two.seen
    assert min(one.moments + two.moments) >= at


async def test_orders_of_each_kind_reach_their_own_and_nobody_elses(bus: Bus, own_nats: EmbeddedNats) -> None:
    steps: list[StartStep] = []

    async def on_start(message: StartStep) -> None:
        steps.append(message)

    broker = make_broker(BusSettings(url=(own_nats.url,)), "test", bus)
    broker.subscriber(subjects.START_STEP, **of_work(subjects.START_STEP, 2))(on_start)
    await broker.start()
    order = StartStep(owner=OWNER, run_id="arc_1", step="draft", turn=1)
    await publish(bus, order)
    await publish(bus, order)
    await bus.client.jetstream().publish(GenerateRequest.SUBJECT.format(work_class="interactive"), b"{}")

    async def only_the_generation() -> bool:
        return await subjects_of(bus.client, "WORK", ">") == {"work.inference.generate.interactive": 1}

    await until(only_the_generation)
    await broker.stop()
    assert steps == [order], "said twice, stored once"
    waiting = await api(bus.client, "CONSUMER.INFO.WORK.inference")
    assert waiting["num_pending"] == 1


@pytest.mark.parametrize("name", ["", "a b", "a.*", ">", "a..b", ".a", "a.", "a\n"])
async def test_a_name_that_is_no_subject_is_refused(bus: Bus, name: str) -> None:
    with pytest.raises(ValueError, match="no name of a timer"):
        await set_timer(bus, time_is_up(), name, now())
    with pytest.raises(ValueError, match="no name of a timer"):
        await drop_timer(bus, name)


async def test_what_the_bus_could_not_do_is_refused_here(bus: Bus) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        await set_timer(bus, time_is_up(), "a", now().replace(tzinfo=None))
    with pytest.raises(ValueError, match=r"no subject of the stream TIMERS"):
        await set_timer(bus, StartStep(owner=OWNER, run_id="arc_1", step="draft", turn=1), "a", now())
    await api(bus.client, "STREAM.DELETE.TIMERS")
    with pytest.raises(JetStreamError):
        await drop_timer(bus, "a")

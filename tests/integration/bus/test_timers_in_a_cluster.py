"""Timers that three servers keep."""

from datetime import UTC, datetime, timedelta

from contracts import subjects
from contracts.architect_work import TimeIsUp
from contracts.message import Owner
from kit.bus.broker import make_broker, of_work
from kit.bus.streams import declare_streams
from kit.bus.timers import drop_timer, set_timer
from kit.settings import BusSettings
from tests.fixtures.bus import subjects_of
from tests.fixtures.cluster import SIZE, Cluster
from tests.fixtures.polling import until

COUNT = 20
WAIT = timedelta(seconds=3)


async def test_timers_go_off_though_the_server_that_kept_them_is_dead(cluster: Cluster) -> None:
    seen: list[str] = []

    async def handle(message: TimeIsUp) -> None:
        seen.append(message.step)

    async with cluster.bus() as bus:
        await declare_streams(bus.client, SIZE)
        broker = make_broker(BusSettings(url=cluster.urls, replicas=SIZE), "test", bus)
        broker.subscriber(subjects.ARCHITECT_TIME_IS_UP, **of_work(subjects.ARCHITECT_TIME_IS_UP, 4))(handle)
        await broker.start()
        at = datetime.now(UTC) + WAIT
        for number in range(COUNT + 1):
            order = TimeIsUp(owner=Owner(tenant="t", user="u"), run_id="arc_1", what="retry", step=f"s{number}")
            await set_timer(bus, order, f"t.{number}", at)
        await drop_timer(bus, f"t.{COUNT}")
        await (await cluster.leader("TIMERS")).kill()

        async def all_handled() -> bool:
            return len(set(seen)) >= COUNT and not await subjects_of(bus.client, "TIMERS", ">")

        await until(all_handled)
        await broker.stop()
    assert set(seen) == {f"s{number}" for number in range(COUNT)}

"""The whole product on three NATS servers, whose leader of the run log is killed while fifty streams run."""

from collections.abc import AsyncIterator

import pytest

from tests.fixtures.bus import asked, subjects_of
from tests.fixtures.cluster import REPLICAS, Cluster
from tests.fixtures.counting import CountingModel, counting_model
from tests.fixtures.own_servers import own_database
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Stack, running_stack
from tests.fixtures.watchers import Watched

STREAMS = 50


@pytest.fixture
async def model() -> AsyncIterator[CountingModel]:
    async with counting_model() as found:
        yield found


@pytest.fixture
async def product(
    servers: Servers, cluster: Cluster, model: CountingModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """Every service, on the cluster."""
    folder = tmp_path_factory.mktemp("product")
    async with (
        own_database(servers, ",".join(cluster.urls)) as own,
        running_stack(own, folder, model, REPLICAS) as stack,  # type: ignore[arg-type]
    ):
        yield stack


async def test_fifty_streams_lose_the_leader_of_the_log_twice_and_nothing_else(
    cluster: Cluster, product: Stack, model: CountingModel
) -> None:
    """Also not for watchers that come and go meanwhile; and every run ends once."""
    async with product.client() as http:
        watched = Watched(http, model)
        await watched.begin([f"run {number}" for number in range(STREAMS)])
        for _ in range(2):
            leader = await cluster.leader("RUNS")
            await leader.kill()
            assert await cluster.leader("RUNS") is not leader
            await watched.moved_on()
            await leader.start()
            await cluster.heal()
        await watched.end()
    async with cluster.client() as client:
        for run_id in watched.runs.values():
            (run_lane,) = [
                count for subject, count in (await subjects_of(client, "RUNS", f"log.*.*.{run_id}.run")).items()
            ]
            assert run_lane == 2, "a beginning and an ending"

        async def done() -> bool:
            return not await subjects_of(client, "WORK", ">")

        await until(done)
        dead = await asked(client, "STREAM.INFO.DEAD")
        assert dead["state"]["messages"] == 0
    assert {len(calls) for calls in model.calls.values()} == {1}, "the model was asked once for each"

"""A stack with two workers on a NATS that may be killed, and with a lease that is short enough to wait for."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from kit.bus.streams import BEAT_SECONDS, INFERENCE_CONSUMER, NANOSECONDS, consumer_configs, declare_streams
from kit.runtime.embedded_nats import EmbeddedNats
from tests.fixtures.bus import api, plain_client
from tests.fixtures.counting import CountingModel, counting_model
from tests.fixtures.own_servers import own_database
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Process, Stack, running_stack
from tests.integration.workers.alone import Alone, worker_alone

LEASE_SECONDS = 2 * BEAT_SECONDS
"""Soon over when nobody beats; the product's is three beats long."""
WORKERS = ("inference", "second")
ACKS = "$JS.ACK.WORK.inference"
BEAT, ACK, NAK = b"+WPI", b"+ACK", b"-NAK"
"""What a worker tells the queue; an acknowledgement may be empty as well."""


@pytest.fixture(scope="package")
async def nats_to_kill(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedNats]:
    server = EmbeddedNats(tmp_path_factory.mktemp("nats"))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="package")
async def shared_model() -> AsyncIterator[CountingModel]:
    async with counting_model() as model:
        yield model


@pytest.fixture
def model(shared_model: CountingModel) -> CountingModel:
    """The model `mock`; it has said nothing."""
    shared_model.reset()
    return shared_model


@pytest.fixture(scope="package")
async def shared_workers(
    servers: Servers, nats_to_kill: EmbeddedNats, shared_model: CountingModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("workers")
    settings = {"STUDIO_INFERENCE_DRAIN_SECONDS": "0"}
    async with (
        own_database(servers, nats_to_kill.url) as own,
        running_stack(own, folder, shared_model, settings) as stack,  # type: ignore[arg-type]
    ):
        stack.processes["second"] = Process("inference", stack.environment, folder / "second.log")
        await stack.processes["second"].start()
        yield stack


@pytest.fixture
async def two_workers(shared_workers: Stack) -> Stack:
    """Both of them at work, and requests lent for a short time only."""
    for name in WORKERS:
        process = shared_workers.processes[name].process
        if process is not None and process.returncode is not None:
            await shared_workers.processes[name].start()
    async with plain_client(shared_workers.servers) as client:

        async def both_ask() -> bool:
            return bool((await api(client, "CONSUMER.INFO.WORK.inference"))["num_waiting"] >= len(WORKERS))

        await until(both_ask)
        stream, config = next(found for found in consumer_configs() if found[1]["durable_name"] == INFERENCE_CONSUMER)
        config["ack_wait"] = int(LEASE_SECONDS * NANOSECONDS)
        request = {"stream_name": stream, "config": config}
        await api(client, f"CONSUMER.DURABLE.CREATE.{stream}.{config['durable_name']}", request)
    return shared_workers


def worker_of(stack: Stack, model: CountingModel, prompt: str) -> Process:
    """Which worker asked the model last with this prompt: by the port that the model saw."""
    port = model.calls[prompt][-1].port
    for name in WORKERS:
        process = stack.processes[name]
        assert process.process is not None
        if process.process.returncode is None:
            connections = psutil.Process(process.process.pid).net_connections("tcp4")
            if any(connection.laddr.port == port for connection in connections):
                return process
    raise AssertionError("nobody is connected to the model")


@dataclasses.dataclass(frozen=True)
class Word:
    """What a worker told the queue: of which delivery of a request, and what."""

    delivery: int
    said: bytes
    more: bytes = dataclasses.field(default=b"", compare=False)
    """With a -NAK: after which delay."""


class Queue:
    """Listens to what the workers tell the work queue, and to the facts; and says things in their place."""

    def __init__(self, client: Client) -> None:
        self.words: list[Word] = []
        self.order: list[str] = []
        """Facts and words in the order in which they were told."""
        self._client = client
        self._newest: Msg | None = None

    async def listen(self) -> None:
        await self._client.subscribe(f"{ACKS}.>", cb=self._on_word)
        await self._client.subscribe("evt.inference.>", cb=self._on_fact)
        await self._client.flush()

    async def _on_word(self, message: Msg) -> None:
        # $JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.<consumer sequence>.<timestamp>.<pending>
        said, _, more = message.data.partition(b" ")
        self.words.append(Word(int(message.subject.split(".")[4]), said or ACK, more))
        self.order.append((said or ACK).decode())
        self._newest = message

    async def _on_fact(self, message: Msg) -> None:
        self.order.append(message.subject)

    async def hears(self, *words: Word) -> None:
        """Wait until all of these were said."""

        async def heard() -> bool:
            return set(words) <= set(self.words)

        await until(heard)

    async def beat(self, *, since: int = 1) -> Word:
        """The next beat for this delivery or a later one, waited for."""
        before = len(self.words)

        async def heard() -> Word | None:
            return next((word for word in self.words[before:] if word.said == BEAT and word.delivery >= since), None)

        found = await until(heard)
        assert found is not None
        return found

    async def offer_again(self) -> None:
        """Have the request that was beaten for last offered again, at once, as a stale -NAK does."""
        if self._newest is None:
            await self.beat()
        assert self._newest is not None
        before = (await self.state())["delivered"]["consumer_seq"]
        await self._client.publish(self._newest.subject, NAK)

        async def delivered() -> bool:
            return bool((await self.state())["delivered"]["consumer_seq"] > before)

        await until(delivered)

    @property
    def left_alone(self) -> bool:
        """Whether a worker gave a request back, for later: another one is at it."""
        return any(word.said == NAK and word.more for word in self.words)

    async def state(self) -> dict[str, Any]:
        """Of the consumer that the workers share."""
        return await api(self._client, "CONSUMER.INFO.WORK.inference")


@pytest.fixture
async def queue(two_workers: Stack) -> AsyncIterator[Queue]:
    async with contextlib.AsyncExitStack() as stack:
        found = Queue(await stack.enter_async_context(plain_client(two_workers.servers)))
        await found.listen()
        yield found


@pytest.fixture
async def alone(own_nats: EmbeddedNats, model: CountingModel, tmp_path: Path) -> AsyncIterator[Alone]:
    async with worker_alone(own_nats, model, tmp_path) as found:
        await declare_streams(found.bus.client, 1)
        await found.reads.start()
        yield found

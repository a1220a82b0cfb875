"""An ending that chat writes in a worker's place holds every word that is in the log before it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts import events
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.streams import declare_streams
from kit.clock import utc_now
from kit.ids import new_id
from kit.runlog.lane import RunKey
from kit.runlog.once import read_last
from kit.runlog.reads import LogReads
from kit.runlog.writers import LogWriters
from services.chat.cancel import Canceller
from services.chat.models import RunRow
from tests.fixtures.bus import connected_bus
from tests.fixtures.servers import Servers


@pytest.fixture
async def bus(servers: Servers) -> AsyncIterator[Bus]:
    async with connected_bus(servers) as connected:
        await declare_streams(connected.client, 1)
        yield connected


def a_run() -> RunRow:
    return RunRow(
        id=new_id("chat"), tenant="t", user="u", conversation_id="conv_x", message_id="msg_x", position=2, model="m",
        begins_conversation=True, request={}, created_at=utc_now(),
    )  # fmt: skip


class LateWorker(LogReads):
    """Reads like the others, but a worker that was thought dead writes one more word right after the first time."""

    writer: Any = None

    async def lane(self, subject: str) -> list[tuple[int, events.Event | None]]:
        told = await super().lane(subject)
        if self.writer is not None:
            writer, self.writer = self.writer, None
            writer.text("generation.delta", "late ")
            await writer.stored()
        return told


async def test_what_a_late_worker_adds_is_in_the_ending(bus: Bus) -> None:
    run = a_run()
    key = RunKey(run.tenant, run.user, run.id)
    writers, reads = LogWriters(bus), LateWorker(bus, 4)
    await writers.start()
    await reads.start()
    worker = writers.open(key, "main", attempt=1, last=0)
    worker.text("generation.reasoning", "thought ")
    worker.text("generation.delta", "early ")
    await worker.stored()
    reads.writer = worker
    await Canceller(bus, reads, Blobs(bus, 1)).cancel(run)
    told = [event for _, event in await reads.lane(key.lane("main"))]
    ending = told[-1]
    assert isinstance(ending, events.GenerationCancelled)
    assert ending.text == "early late "
    assert ending.reasoning == "thought "
    worker.text("generation.delta", "too late")
    with pytest.raises(Exception, match="taken over"):
        await worker.stored()
    assert [event for _, event in await reads.lane(key.lane("main"))] == told
    first = await read_last(bus, key, "run")
    assert first is not None
    assert isinstance(first[1], events.RunCreated), "a run begins before it ends"
    await Canceller(bus, reads, Blobs(bus, 1)).cancel(run)
    assert [event for _, event in await reads.lane(key.lane("main"))] == told, "stopped twice, ended once"
    await writers.stop()

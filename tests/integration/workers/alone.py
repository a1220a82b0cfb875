"""A worker inside the test's process, on a NATS of its own: its parts can be watched and held."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from contracts.content import Turn
from contracts.generation import GenerateRequest
from contracts.message import Owner
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.clock import now_ms
from kit.ids import new_id
from kit.runlog.lane import RunKey
from kit.runlog.reads import LogReads
from kit.runtime.embedded_nats import EmbeddedNats
from kit.settings import BusSettings, InferenceSettings, ModelSettings, Settings
from services.inference.service import InferenceService
from tests.fixtures.bus import bus_to
from tests.fixtures.counting import CountingModel
from tests.fixtures.stack import write_catalogue
from tests.integration.runlog.lane import texts

OWNER = Owner(tenant="t", user="u")


class Alone:
    """The worker, not started, and a connection to look at what it does."""

    def __init__(self, service: InferenceService, bus: Bus) -> None:
        self.service, self.bus = service, bus
        self.reads = LogReads(bus, 4)

    async def ask(self, prompt: str) -> RunKey:
        """Put a request into the queue. Returns its run."""
        request = a_request(prompt)
        await publish(self.bus, request)
        return key_of(request)

    async def said(self, key: RunKey) -> str:
        """The text in the log."""
        return "".join(await texts(self.reads, key))


def a_request(prompt: str) -> GenerateRequest:
    """For the counting model."""
    turn = Turn(role="user", content=prompt)
    return GenerateRequest(
        owner=OWNER, run_id=new_id("chat"), lane="main", model="mock", messages=(turn,), requested_at=now_ms()
    )


def key_of(request: GenerateRequest) -> RunKey:
    """Of its run."""
    return RunKey(request.owner.tenant, request.owner.user, request.run_id)


@contextlib.asynccontextmanager
async def worker_alone(own_nats: EmbeddedNats, model: CountingModel, folder: Path) -> AsyncIterator[Alone]:
    """Start it when the test has put its hands where it wants; it is stopped at the end."""
    settings = Settings(
        nats=BusSettings(url=(own_nats.url,)),
        models=ModelSettings(file=write_catalogue(folder / "models.yaml", model.base_url), ollama_url=""),
        inference=InferenceSettings(drain_seconds=0),
    )
    async with bus_to(own_nats.url) as bus:
        yield Alone(InferenceService(settings), bus)

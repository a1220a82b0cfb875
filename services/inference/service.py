"""The inference service: a worker that needs no database, and the catalogue it answers for."""

import asyncio
import contextlib

from contracts.generation import ListModels, ModelList
from kit.bus.blobs import Blobs
from kit.bus.broker import make_broker
from kit.bus.connection import Bus
from kit.bus.describe import describe_service
from kit.bus.health import answer_health
from kit.bus.rpc import on_request
from kit.bus.streams import ready_streams
from kit.runlog.reads import LogReads
from kit.runlog.writers import LogWriters
from kit.runtime.service import Service
from kit.settings import Settings
from kit.telemetry import measures
from kit.telemetry.setup import broker_middlewares
from services.inference.catalogue import load_catalogue
from services.inference.discovery import OllamaDiscovery
from services.inference.parts import Parts
from services.inference.registry import Providers
from services.inference.waiting import Waiting
from services.inference.worker import Worker

NAME = "inference"
CONCURRENT_LOG_READS = 16
LIST_WORKERS = 8


class InferenceService:
    """Takes generation requests, calls providers, writes tokens to the log."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._catalogue = load_catalogue(settings.models.file)
        self._providers = Providers(self._catalogue, settings.inference)
        self._discovery = OllamaDiscovery(self._catalogue, settings.models.ollama_url)
        self._bus = Bus(settings.nats, NAME)
        self._log_bus = Bus(settings.nats, f"{NAME} log")
        self._reads = LogReads(self._log_bus, CONCURRENT_LOG_READS)
        blobs = Blobs(self._log_bus, settings.nats.replicas)
        self._writers = LogWriters(self._bus, blobs)
        self._worker = Worker(
            Parts(
                bus=self._bus,
                reads=self._reads,
                writers=self._writers,
                blobs=blobs,
                catalogue=self._catalogue,
                providers=self._providers,
                settings=settings.inference,
            )
        )
        self._broker = make_broker(settings.nats, NAME, self._bus, middlewares=broker_middlewares())
        on_request(self._broker, ListModels, workers=LIST_WORKERS)(self.on_list_models)
        describe_service(self._broker, NAME, __doc__ or "")
        answer_health(self._broker, NAME, self._offers_models)
        self._waiting = Waiting(self._bus)
        self._looking: asyncio.Task[None] | None = None

    async def on_list_models(self, query: ListModels) -> ModelList:
        """The catalogue as it is now."""
        models = tuple(card.model_dump(mode="json") for card in self._catalogue.models())
        return ModelList(models=models, providers=self._providers.states())

    async def _offers_models(self) -> None:
        """It is well when it answers: a provider that is away makes it no worse."""

    async def start(self) -> None:
        """Connect, look for a local Ollama, warm the providers, take work. Raises BusError, LogUnavailableError."""
        await asyncio.gather(self._bus.connect(), self._log_bus.connect(), self._discovery.refresh())
        await ready_streams(self._bus.client, self._settings.nats, NAME)
        await asyncio.gather(self._reads.start(), self._writers.start(), self._providers.warm())
        await self._broker.start()
        await self._worker.start()
        measures.watch_circuits(lambda: [(state.name, state.circuit) for state in self._providers.states()])
        measures.watch_slots(lambda: self._worker.used)
        self._waiting.start()
        self._looking = asyncio.create_task(self._discovery.run(), name="ollama-discovery")

    async def stop(self) -> None:
        """Finish or hand over what runs, then disconnect."""
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
        await self._waiting.stop()
        await self._worker.stop()
        await self._broker.stop()
        await self._writers.stop()
        await self._providers.close()
        await self._bus.close()
        await self._log_bus.close()

    async def wait(self) -> None:
        """Its connections heal by themselves; there is nothing to wait for."""
        await asyncio.Event().wait()


def build(settings: Settings) -> Service:
    """The inference service, not started. Raises CatalogueError."""
    return InferenceService(settings)

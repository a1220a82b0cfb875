"""Taking requests from the queue, as many as there are free slots, and giving them back on shutdown."""

import asyncio
import logging

from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError
from pydantic import ValidationError

from contracts import subjects
from contracts.generation import GenerateRequest
from kit.bus.api import JetStreamError
from kit.bus.redelivery import park
from kit.bus.streams import INFERENCE_CONSUMER
from kit.bus.work import WorkPuller
from kit.runlog.lane import RunKey
from kit.runlog.once import read_last
from kit.telemetry.spans import CONSUMER, span
from services.inference.call import INTERNAL
from services.inference.generation import Generation, LogRefusedError
from services.inference.lease import REDELIVER_SECONDS
from services.inference.parts import Parts

log = logging.getLogger(__name__)

PING_SECONDS = 1.0
PING_AGAIN_SECONDS = 0.25
FAILED_AGAIN_SECONDS = 2.0
"""Before a request whose worker failed outside the provider's part is offered again."""
RELEASE_SECONDS = 2.0
MAX_FAILURES_REMEMBERED = 10_000
"""Requests whose failures outside their model are counted; the oldest is forgotten first."""


class Worker:
    """The slots of one process."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._generations: dict[str, Generation] = {}
        self._failures: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._puller = WorkPuller(parts.bus, "WORK", INFERENCE_CONSUMER, parts.settings.slots, self._take)

    @property
    def used(self) -> float:
        """The share of the slots in use, from 0 to 1."""
        return len(self._tasks) / self._parts.settings.slots

    async def start(self) -> None:
        """Begin to take work."""
        await self._puller.start()

    async def stop(self) -> None:
        """Take no more; finish what ends soon; hand the rest to other workers at once."""
        await self._puller.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._parts.settings.drain_seconds)
        for generation in list(self._generations.values()):
            generation.release()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=RELEASE_SECONDS)

    def _take(self, message: Msg) -> None:
        task = asyncio.create_task(self._handle(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._puller.release())

    async def _handle(self, message: Msg) -> None:
        try:
            request = GenerateRequest.model_validate_json(message.data)
        except ValidationError as error:
            log.error("a request that cannot be read is parked: %s", error)
            await park(self._parts.bus.client, message, repr(error))
            return
        lane = f"{request.run_id}.{request.lane}"
        mine = self._generations.get(lane)
        if mine is not None:  # it came again although we are at it
            mine.lease.renew(message)
            return
        # A server that was killed may have forgotten how often it has delivered a request.
        first_delivery = message.metadata.num_delivered == 1 and not self._parts.bus.settling
        told = {"studio.run": request.run_id, "studio.lane": request.lane, "gen_ai.request.model": request.model}
        with span("generate", CONSUMER, subject=message.subject, carrier=message.headers or {}, attributes=told):
            if first_delivery and await self._generate(lane, request, message, first_delivery=True):
                return
            if await self._alive_elsewhere(request):
                await message.nak(delay=REDELIVER_SECONDS)
                return
            await self._generate(lane, request, message, first_delivery=False)

    async def _generate(self, lane: str, request: GenerateRequest, message: Msg, *, first_delivery: bool) -> bool:
        """One try; False if the lane turned out to be somebody's."""
        generation = self._generations[lane] = Generation(self._parts, request, message)
        try:
            done = await generation.run(first_delivery=first_delivery)
            if generation.handed_back:
                await generation.lease.give_back()
            return done
        except Exception as error:
            await self._failed(lane, generation, error)
            return True
        finally:
            self._generations.pop(lane, None)

    async def _failed(self, lane: str, generation: Generation, error: Exception) -> None:
        """A defect of ours or of the bus, not of the model: try again, and give up when that does not help."""
        failures = self._failures[lane] = self._failures.pop(lane, 0) + 1
        while len(self._failures) > MAX_FAILURES_REMEMBERED:
            del self._failures[next(iter(self._failures))]
        log.error("%s failed outside its model (%d)", lane, failures, exc_info=error)
        if failures >= self._parts.settings.max_attempts or isinstance(error, LogRefusedError):
            try:
                await generation.give_up(INTERNAL)
            except Exception:
                log.exception("%s cannot be given up yet", lane)
            else:
                del self._failures[lane]
                return
        await generation.lease.give_back(FAILED_AGAIN_SECONDS)

    async def _alive_elsewhere(self, request: GenerateRequest) -> bool:
        """Whether another worker says that it is still at this request."""
        subject = subjects.PING.format(
            tenant=request.owner.tenant, user=request.owner.user, run=request.run_id, lane=request.lane
        )
        while True:
            try:
                await self._parts.bus.client.request(subject, b"", timeout=PING_SECONDS)
            except (NoRespondersError, NatsTimeoutError):
                if not self._parts.bus.settling or not await self._begun(request):
                    return False
                await asyncio.sleep(PING_AGAIN_SECONDS)  # it may be on its way back, as we were
            else:
                return True

    async def _begun(self, request: GenerateRequest) -> bool:
        """Whether anybody has written to the lane: if not, the fence decides between two who begin at once.

        If the log does not answer, somebody may have.
        """
        key = RunKey(request.owner.tenant, request.owner.user, request.run_id)
        try:
            return await read_last(self._parts.bus, key, request.lane) is not None
        except (TimeoutError, JetStreamError):
            return True

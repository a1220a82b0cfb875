"""Compare's parts in this process, on servers that nobody else uses; the test is inference, good or bad."""

import json
from collections import defaultdict
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from contracts import events
from contracts.compare import ComparedLane, Comparison, GetComparison, LaneWish, StartComparison
from contracts.content import Turn
from contracts.generation import GenerateRequest, GenerationEnded
from contracts.ids import BLIND, RUN_LANE
from contracts.message import Owner
from kit.bus.publish import publish
from kit.ids import new_id
from kit.refusal import Refused
from kit.runlog.lane import RunKey
from services.compare.service import CompareService
from tests.fixtures.bus import held, subjects_of
from tests.fixtures.ground import Ground, ground_on
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.integration.compare.worker import Answering

OWNER = Owner(tenant="t", user="u")
SEES = {"provider": "p", "capabilities": ["text", "vision"], "prices": {"input": "1", "output": "2"}}
MODELS: list[dict[str, Any]] = [
    *({"id": name, "name": name, **SEES} for name in ("m-1", "m-2", "m-3", "m-4", "m-5", "m-6", "m-7", "m-8")),
    {"id": "blindfolded", "name": "blindfolded", **SEES, "capabilities": ["text"]},
    {"id": "small", "name": "small", **SEES, "context_window": 200, "max_output_tokens": 50},
]
HELLO = (Turn(role="user", content="Hello"),)


def wishes(*models: str) -> tuple[LaneWish, ...]:
    """Models to compare."""
    return tuple(LaneWish(model=model) for model in models)


class World(Ground[CompareService]):
    """What can be done with compare's parts."""

    async def replica(self, *, sweeping: bool = False, **settings: Any) -> CompareService:
        """A compare service. Unless it is to be `sweeping`, the test does what its sweeps would do."""
        limits = self.settings.compare.model_copy(update=settings)
        service = CompareService(self.settings.model_copy(update={"compare": limits}))
        self.replicas.append(service)
        await service.start()
        if not sweeping:
            for part in (service._watchdog, service._retention, service._votes, service._dispatcher):
                await part.stop()
            await self.pool.execute("DELETE FROM compare.duty")
        return service

    async def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        """Look into the tables."""
        return [dict(row) for row in await self.pool.fetch(query, *arguments)]

    async def refused(self, request: Any) -> str:
        """The code with which a request is refused."""
        with pytest.raises(Refused) as caught:
            await self.ask(request)
        return caught.value.problem.code

    async def begin(self, *models: str, blind: bool = False, **more: Any) -> RunKey:
        """A comparison that has just begun; nobody answers yet."""
        run_id = new_id("cmp") + (BLIND if blind else "")
        asked_for = {"turns": HELLO, "models": wishes(*models or ("m-1", "m-2")), **more}
        started = await self.ask(StartComparison(owner=OWNER, run_id=run_id, **asked_for))
        return RunKey(OWNER.tenant, OWNER.user, started.run_id)

    async def get(self, key: RunKey) -> Comparison:
        """A comparison as its owner sees it."""
        found: Comparison = await self.ask(GetComparison(owner=OWNER, run_id=key.run))
        return found

    async def shown(self, key: RunKey) -> dict[str, ComparedLane]:
        """Its lanes by model; of a blind one as well, for the tests know the tables."""
        names = {row["lane"]: row["model"] for row in await self.lanes(key)}
        return {names[lane.lane]: lane for lane in (await self.get(key)).lanes}

    async def lanes(self, key: RunKey) -> list[dict[str, Any]]:
        """Its lanes' rows."""
        return await self.rows("SELECT * FROM compare.lane WHERE run_id = $1 ORDER BY position", key.run)

    async def work_on(self, key: RunKey, model: str, *, last: int = 0) -> Answering:
        """Begin to answer in the lane of a model."""
        lane = next(row["lane"] for row in await self.lanes(key) if row["model"] == model)
        writer = self.writers.open(key, lane, attempt=1, last=last)
        return await Answering(self.bus, key, lane, model, writer).listen()

    async def answer(self, key: RunKey, model: str, text: str | None = None, **more: Any) -> GenerationEnded:
        """Answer in a lane, from its beginning to the fact."""
        fact = await (await self.work_on(key, model)).finish(text or f"the answer of {model}", **more)
        await publish(self.bus, fact)
        return fact

    async def ended(self, key: RunKey) -> Comparison:
        """The comparison once it has ended and its log says so."""

        async def told() -> bool:
            return bool((await self.row(key))["told_at"])

        await until(told)
        return await self.get(key)

    async def completed(self, *models: str, **more: Any) -> RunKey:
        """A comparison that every model has answered."""
        key = await self.begin(*models, **more)
        for row in await self.lanes(key):
            if row["status"] == "running":
                await self.answer(key, row["model"])
        await self.ended(key)
        return key

    async def row(self, key: RunKey) -> dict[str, Any]:
        """The run's row, empty if there is none."""
        found = await self.rows("SELECT * FROM compare.run WHERE id = $1", key.run)
        return found[0] if found else {}

    async def lane(self, key: RunKey, lane: str = RUN_LANE) -> list[Any]:
        """The events of a lane."""
        return [event for _, event in await self.reads.lane(key.lane(lane))]

    async def run_lane(self, key: RunKey) -> list[str]:
        """The types of a run's own events."""
        return [events.type_of(event) for event in await self.lane(key)]

    async def logged(self, key: RunKey) -> dict[str, int]:
        """What the log has of a run."""
        return await subjects_of(self.bus.client, "RUNS", f"log.*.*.{key.run}.>")

    async def orders(self, key: RunKey) -> list[GenerateRequest]:
        """The orders to inference, as they are in the queue, with their messages from wherever they are."""
        found = []
        for message in await held(self.bus.client, "WORK"):
            if key.run.encode() in message.data:
                order = GenerateRequest.model_validate_json(message.data)
                if order.messages_ref is not None:
                    kept = json.loads(await self.blobs.get(order.messages_ref))
                    order = GenerateRequest.model_validate({**order.model_dump(), **kept})
                found.append(order)
        return found

    async def facts(self) -> dict[str, list[str]]:
        """By run, the subjects of all facts of compare that were told of it."""
        found: dict[str, list[str]] = defaultdict(list)
        for fact in await held(self.bus.client, "EVENTS", "evt.compare.>"):
            found[json.loads(fact.data)["run_id"]].append(fact.subject)
        return found


def world_on(servers: Servers) -> AbstractAsyncContextManager[World]:
    """A world on these servers, without the runs of earlier ones."""
    return ground_on(
        World,
        servers,
        models=MODELS,
        emptied="compare.run, compare.lane, compare.vote, compare.log_purge, compare.duty",
    )

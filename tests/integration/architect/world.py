"""Architect's parts in this process, on servers that nobody else uses; the test is inference, good or bad."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from contracts import events
from contracts.architect import GetAssistantRun, StartAssistantRun
from contracts.architect_assistants import CreateAssistant
from contracts.architect_values import AssistantRun, RunStep
from contracts.assistant import Definition, InputField, Step
from contracts.generation import GenerateRequest
from contracts.ids import RUN_LANE
from contracts.message import Owner
from kit.bus.publish import publish
from kit.ids import new_id
from kit.refusal import Refused
from kit.runlog.lane import RunKey
from services.architect.service import ArchitectService
from tests.fixtures.bus import held
from tests.fixtures.ground import Ground, ground_on
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.integration.compare.worker import Answering

OWNER = Owner(tenant="t", user="u")
CARD = {"provider": "p", "capabilities": ["text"], "prices": {"input": "1", "output": "2"}}
MODELS: list[dict[str, Any]] = [
    *({"id": name, "name": name, **CARD} for name in ("m-1", "m-2")),
    {"id": "small", "name": "small", **CARD, "context_window": 200, "max_output_tokens": 50},
]
TABLES = "architect.run, architect.assistant, architect.file, architect.duty, architect.log_purge CASCADE"


def step(name: str, *before: str, **fields: Any) -> Step:
    """A step that says what it is asked after."""
    prompt = f"{name}:" + "".join(f" ${{{other}.output}}" for other in before)
    return Step.model_validate({"name": name, "prompt": prompt, "model": "m-1", "depends_on": before, **fields})


class World(Ground[ArchitectService]):
    """What can be done with architect's parts."""

    async def replica(self, *, sweeping: bool = False, **settings: Any) -> ArchitectService:
        """An architect service. Unless it is to be `sweeping`, nothing is found that was left undone."""
        limits = self.settings.architect.model_copy(update=settings)
        service = ArchitectService(self.settings.model_copy(update={"architect": limits}))
        self.replicas.append(service)
        await service.start()
        if not sweeping:
            for part in service._parts:
                await part.stop()
            await self.pool.execute("DELETE FROM architect.duty")
        return service

    async def refused(self, request: Any) -> str:
        """The code with which a request is refused."""
        with pytest.raises(Refused) as caught:
            await self.ask(request)
        return caught.value.problem.code

    async def assistant(self, *steps: Step, fields: Sequence[InputField] = (), **more: Any) -> str:
        """An assistant of these steps."""
        definition = Definition(steps=steps, fields=tuple(fields), **more)
        command = CreateAssistant(owner=OWNER, assistant_id=new_id("asst"), name="Test", definition=definition)
        return str((await self.ask(command)).id)

    async def begin(self, *steps: Step, inputs: dict[str, Any] | None = None, **more: Any) -> RunKey:
        """A run of a new assistant; nobody answers yet."""
        made = await self.assistant(*steps, **more)
        command = StartAssistantRun(owner=OWNER, run_id=new_id("arc"), assistant_id=made, inputs=inputs or {})
        return RunKey(OWNER.tenant, OWNER.user, (await self.ask(command)).run_id)

    async def get(self, key: RunKey) -> AssistantRun:
        """A run as its owner sees it."""
        found: AssistantRun = await self.ask(GetAssistantRun(owner=OWNER, run_id=key.run))
        return found

    async def step(self, key: RunKey, name: str) -> RunStep:
        """One of its steps."""
        return next(found for found in (await self.get(key)).steps if found.step == name)

    async def until_status(self, key: RunKey, name: str, *statuses: str) -> RunStep:
        """Wait until a step is in one of these states."""

        async def reached() -> bool:
            return (await self.step(key, name)).status in statuses

        await until(reached)
        return await self.step(key, name)

    async def until_ended(self, key: RunKey) -> AssistantRun:
        """Wait until a run has ended, and its log says so."""

        async def ended() -> bool:
            told = await self.told(key)
            return bool(told) and isinstance(told[-1], events.RunEnding)

        await until(ended)
        return await self.get(key)

    async def told(self, key: RunKey, lane: str = RUN_LANE) -> list[events.Event]:
        """What a lane of the log says."""
        return [event for _, event in await self.reads.lane(key.lane(lane)) if event is not None]

    async def types(self, key: RunKey) -> list[str]:
        """The types of the events in lane `run`, each with its step."""
        return [f"{events.type_of(event)} {getattr(event, 'step', '')}".strip() for event in await self.told(key)]

    async def orders(self, key: RunKey) -> list[GenerateRequest]:
        """The orders to inference of a run, as they are in the queue."""
        orders = await held(self.bus.client, "WORK", "work.inference.>")
        return [GenerateRequest.model_validate_json(order.data) for order in orders if key.run.encode() in order.data]

    async def answering(self, key: RunKey, name: str) -> Answering:
        """A worker at a step, as soon as that is asked for."""
        found = await self.until_status(key, name, "running")
        assert found.generation is not None

        async def ordered() -> bool:
            return any(order.lane == found.generation for order in await self.orders(key))

        await until(ordered)
        writer = self.writers.open(key, found.generation, attempt=1, last=0)
        return await Answering(self.bus, key, found.generation, found.model, writer).listen()

    async def answer(self, key: RunKey, name: str, text: str = "", **more: Any) -> None:
        """A step's whole answer."""
        await publish(self.bus, await (await self.answering(key, name)).finish(text or f"answer of {name}", **more))

    async def fail(self, key: RunKey, name: str, code: str = "provider_unavailable") -> None:
        """A step's attempt that fails."""
        answering = await self.answering(key, name)
        error = events.Error(code, "It broke.")
        await publish(self.bus, await answering.finish("half", events.GenerationFailed, error=error))

        async def stored() -> bool:
            found = await self.step(key, name)
            return (found.status, found.generation) != ("running", answering.lane)

        await until(stored)


def world_on(servers: Servers) -> AbstractAsyncContextManager[World]:
    """A world on these servers."""
    return ground_on(World, servers, models=MODELS, emptied=TABLES)

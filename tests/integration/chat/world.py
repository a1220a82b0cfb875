"""Chat's parts in this process, on servers that nobody else uses; the test is inference, as good or bad as it likes."""

import json
from collections import defaultdict
from contextlib import AbstractAsyncContextManager
from typing import Any

from contracts import events
from contracts.chat import CancelRun, DeleteConversation, RunStarted, SendMessage
from contracts.generation import GenerateRequest, GenerationEnded
from contracts.ids import MAIN_LANE, RUN_LANE
from contracts.message import Owner
from kit.bus.publish import publish
from kit.clock import now_ms
from kit.ids import new_id
from kit.runlog.lane import RunKey
from services.chat import run_store
from services.chat.service import ChatService
from tests.fixtures.bus import held, subjects_of
from tests.fixtures.ground import Ground, ground_on
from tests.fixtures.servers import Servers
from tests.integration.chat.worker import Answering

OWNER = Owner(tenant="t", user="u")
MODELS: list[dict[str, Any]] = [
    {"id": "m", "name": "m", "provider": "p", "capabilities": ["text"], "prices": {"input": "1", "output": "2"}},
    {
        "id": "sees",
        "name": "sees",
        "provider": "p",
        "prices": {"input": "1", "output": "2"},
        "capabilities": ["vision"],
    },
    {
        "id": "small",
        "name": "small",
        "provider": "p",
        "prices": {"input": "1", "output": "2"},
        "context_window": 2_000,
        "max_output_tokens": 500,
    },
    {"id": "dear", "name": "dear", "provider": "p", "prices": {"input": "10", "output": "20"}},
]


class World(Ground[ChatService]):
    """What can be done with chat's parts."""

    async def replica(self, *, sweeping: bool = False, **settings: Any) -> ChatService:
        """A chat service. Unless it is to be `sweeping`, the test does what its sweeps would do."""
        chat = self.settings.chat.model_copy(update=settings)
        service = ChatService(self.settings.model_copy(update={"chat": chat}))
        self.replicas.append(service)
        await service.start()
        if not sweeping:
            await service._watchdog.stop()
            await service._retention.stop()
            await self.execute("DELETE FROM chat.duty")
        return service

    async def execute(self, statement: str, *arguments: Any) -> None:
        """Change the tables."""
        await self.pool.execute(statement, *arguments)

    async def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        """Look into the tables."""
        return [dict(row) for row in await self.pool.fetch(query, *arguments)]

    async def ordered(self, key: RunKey) -> GenerateRequest:
        """The order to inference, as it is in the queue, with its messages from wherever they are."""
        for message in reversed(await held(self.bus.client, "WORK")):
            if key.run.encode() in message.data:
                order = GenerateRequest.model_validate_json(message.data)
                if order.messages_ref is None:
                    return order
                kept = json.loads(await self.blobs.get(order.messages_ref))
                return GenerateRequest.model_validate({**order.model_dump(), **kept})
        raise AssertionError(f"{key.run} is not in the queue")

    async def begin(self, content: str = "Hello", **more: Any) -> RunKey:
        """A run that has just begun; nobody answers yet."""
        run_id = new_id("chat")
        more = {"conversation_id": new_id("conv"), "create": True, "model": "m", **more}
        started: RunStarted = await self.ask(SendMessage(owner=OWNER, run_id=run_id, content=content, **more))
        return RunKey(OWNER.tenant, OWNER.user, started.run_id)

    async def work_on(
        self, key: RunKey, *, attempt: int = 1, last: int = 0, model: str = "m", started: bool = True
    ) -> Answering:
        """Begin to answer, as a worker does that believes the lane to end at `last`."""
        writer = self.writers.open(key, MAIN_LANE, attempt=attempt, last=last)
        answering = await Answering(self.bus, key, writer, attempt, model).listen()
        if started:
            common: Any = {"lane": MAIN_LANE, "at": now_ms(), "attempt": attempt}
            try:
                await answering.tell(events.GenerationStarted(**common, model=model, provider="p"))
            except BaseException:
                await answering.die()
                raise
        return answering

    async def cancel(self, key: RunKey) -> Any:
        """Stop a run."""
        return await self.ask(CancelRun(owner=OWNER, run_id=key.run))

    async def delete(self, key: RunKey) -> None:
        """Delete the conversation of a run."""
        conversation = (await self.row(key))["conversation_id"]
        await self.ask(DeleteConversation(owner=OWNER, conversation_id=conversation))

    async def tell(self, fact: GenerationEnded) -> None:
        """Publish a fact."""
        await publish(self.bus, fact)

    async def lane(self, key: RunKey, lane: str = MAIN_LANE) -> list[Any]:
        """The events of a lane."""
        return [event for _, event in await self.reads.lane(key.lane(lane))]

    async def run_lane(self, key: RunKey) -> list[str]:
        """The types of a run's own events."""
        return [events.type_of(event) for event in await self.lane(key, RUN_LANE)]

    async def is_told(self, key: RunKey) -> bool:
        """Whether the run has ended, in the tables and in the log."""
        state = await run_store.state(self.replicas[0]._database, OWNER, key.run)
        return state is not None and state.told_at is not None

    async def logged(self, key: RunKey) -> dict[str, int]:
        """What the log has of a run."""
        return await subjects_of(self.bus.client, "RUNS", f"log.*.*.{key.run}.>")

    async def row(self, key: RunKey) -> dict[str, Any]:
        """The run's row, empty if there is none."""
        found = await self.rows("SELECT * FROM chat.run WHERE id = $1", key.run)
        return found[0] if found else {}

    async def reply(self, key: RunKey) -> dict[str, Any]:
        """The stored answer, empty if there is none."""
        query = "SELECT * FROM chat.message WHERE run_id = $1 AND role = 'assistant'"
        found = await self.rows(query, key.run)
        return {**found[0], "usage": json.loads(found[0]["usage"] or "null")} if found else {}

    async def facts(self) -> dict[str, list[str]]:
        """By run, the subjects of all facts that were told of it."""
        found: dict[str, list[str]] = defaultdict(list)
        for fact in await held(self.bus.client, "EVENTS"):
            found[json.loads(fact.data).get("run_id", "")].append(fact.subject)
        return found


def world_on(servers: Servers) -> AbstractAsyncContextManager[World]:
    """A world on these servers, without the runs of earlier ones."""
    return ground_on(World, servers, models=MODELS, emptied="chat.run, chat.log_purge, chat.duty")

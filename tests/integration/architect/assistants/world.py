"""Assistants and files in this process, as architect serves them, on servers that nobody else uses."""

import base64
import json
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from contracts.architect_assistants import CreateAssistant, GiveFile, ListExamples
from contracts.architect_values import Assistant, GivenFile
from contracts.assistant import Definition, InputField, Step
from contracts.message import Owner
from kit.bus.rpc import Unavailable, call
from kit.ids import new_id
from kit.orchestrate.service import OrchestratorService
from kit.refusal import Refused
from kit.settings import Settings
from services.architect.assistants import Assistants
from tests.fixtures.bus import held
from tests.fixtures.ground import Ground, ground_on
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers

OWNER = Owner(tenant="t", user="u")
COLLEAGUE = Owner(tenant="t", user="colleague")
STRANGER = Owner(tenant="elsewhere", user="u")
MODELS: list[dict[str, Any]] = [{"id": name, "name": name, "provider": "p"} for name in ("m-1", "m-2")]
DEFINITION = Definition(
    fields=(InputField(name="topic", kind="short_text"),),
    steps=(
        Step(name="draft", prompt="Write about ${topic}.", model="m-1"),
        Step(name="summary", prompt="Sum up: ${draft.output}", model="gone-model"),
    ),
)


def another(prompt: str) -> Definition:
    """A definition that is not the one above."""
    return Definition(steps=(Step(name="only", prompt=prompt, model="m-1"),))


class AssistantsService(OrchestratorService):
    """Architect without runs."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, "architect", settings.architect)
        self.assistants = Assistants(self._database, self._bus, self._offers, settings.architect)
        self._parts = (self.assistants,)
        self._serve(self.assistants.short, self.assistants.long, "")


class World(Ground[AssistantsService]):
    """What can be done with assistants."""

    async def replica(self, **settings: Any) -> AssistantsService:
        """A service; the test does what its sweep would do."""
        limits = self.settings.architect.model_copy(update=settings)
        service = AssistantsService(self.settings.model_copy(update={"architect": limits}))
        self.replicas.append(service)
        await service.start()
        await service.assistants.stop()
        await until(self._answered)
        return service

    async def _answered(self) -> bool:
        """Whether NATS knows already who answers."""
        try:
            await call(self.bus, ListExamples(owner=OWNER), timeout=5, blobs=self.blobs)
        except Unavailable:
            return False
        return True

    async def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        """Look into the tables."""
        return [dict(row) for row in await self.pool.fetch(query, *arguments)]

    async def refusal(self, request: Any) -> Refused:
        """The refusal of a request."""
        with pytest.raises(Refused) as caught:
            await self.ask(request)
        return caught.value

    async def refused(self, request: Any) -> str:
        """The code with which a request is refused."""
        return (await self.refusal(request)).problem.code

    async def create(self, name: str = "Summaries", owner: Owner = OWNER, **more: Any) -> Assistant:
        """An assistant."""
        values = {"assistant_id": new_id("asst"), "definition": DEFINITION, **more}
        made: Assistant = await self.ask(CreateAssistant(owner=owner, name=name, **values))
        return made

    async def give(self, data: bytes, name: str, owner: Owner = OWNER, **more: Any) -> GivenFile:
        """A file."""
        values = {"file_id": new_id("file"), "data": base64.b64encode(data).decode(), **more}
        given: GivenFile = await self.ask(GiveFile(owner=owner, name=name, **values))
        return given

    async def facts(self, assistant_id: str) -> list[dict[str, Any]]:
        """What everybody was told of an assistant, without the owner."""
        found = []
        for message in await held(self.bus.client, "EVENTS", "evt.architect.assistant.*"):
            told = json.loads(message.data)
            if told.get("assistant_id") == assistant_id:
                assert told.pop("owner") == OWNER.model_dump()
                found.append({"verb": message.subject.removeprefix("evt.architect.assistant."), **told})
        return found


def world_on(servers: Servers) -> AbstractAsyncContextManager[World]:
    """A world on these servers, without what earlier tests left."""
    tables = ("assistant", "version", "assistant_deletion", "file")
    return ground_on(World, servers, models=MODELS, emptied=", ".join(f"architect.{table}" for table in tables))

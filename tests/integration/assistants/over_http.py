"""Assistants and their runs as their clients see them, and held against the reference."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from contracts.assistant import Definition
from tests.assistants.order import checked
from tests.assistants.reference import Evaluation
from tests.fixtures.events import ENDINGS, Event, parse, shown
from tests.fixtures.polling import until
from tests.fixtures.watchers import Watcher

RUN_SECONDS = 60.0


async def make(http: httpx.AsyncClient, definition: Definition, **more: Any) -> str:
    """An assistant's id."""
    body = {"name": "A proof", "definition": definition.model_dump(mode="json", exclude_none=True), **more}
    answer = await http.post("/v1/assistants", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def begin(http: httpx.AsyncClient, definition: Definition, inputs: Mapping[str, Any]) -> str:
    """A run's id."""
    return await begun(http, f"/v1/assistants/{await make(http, definition)}/runs", inputs=inputs)


async def begun(http: httpx.AsyncClient, path: str, **body: Any) -> str:
    """Of the run that this begins."""
    answer = await http.post(path, json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["run_id"])


async def steps_of(http: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    """A run as it is now."""
    answer = await http.get(f"/v1/runs/{run_id}/steps")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def statuses(run: dict[str, Any]) -> dict[str, str]:
    """Of its steps."""
    return {step["step"]: step["status"] for step in run["steps"]}


async def ended(http: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    """A run when it has ended."""

    async def look() -> dict[str, Any] | None:
        found = await steps_of(http, run_id)
        return found if found["ended_at"] else None

    found = await until(look, seconds=RUN_SECONDS)
    assert found is not None
    return found


async def told(http: httpx.AsyncClient, run_id: str) -> list[Event]:
    """All of a run to somebody who comes now, in an order that makes sense."""
    watcher = Watcher(http, run_id)
    await watcher.stay()
    assert checked(watcher.seen).whole() == []
    return watcher.seen


async def decide(http: httpx.AsyncClient, run_id: str, step: str, *, approve: bool) -> None:
    """When the step waits for it."""

    async def asked() -> bool:
        return step in (await steps_of(http, run_id))["waiting_for_approval"]

    await until(asked)
    said = {"decision": "approve" if approve else "reject", "comment": "seen"}
    for _ in range(2):  # the same again changes nothing
        answer = await http.post(f"/v1/runs/{run_id}/steps/{step}/approval", json=said)
        assert answer.status_code == 200, answer.text


class Sender:
    """Begins a run, and reads the response: the one watcher who is there from the first event."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.run_id: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.seen: list[Event] = []
        self._http = http

    async def live(self, assistant: str, inputs: Mapping[str, Any]) -> None:
        """To the end."""
        url, headers = f"/v1/assistants/{assistant}/runs", {"accept": "text/event-stream"}
        rest = b""
        async with self._http.stream("POST", url, json={"inputs": inputs}, headers=headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            async for piece in answer.aiter_raw():
                rest += piece
                whole = rest.rfind(b"\n\n") + 2
                self.seen += [event for event in parse(rest[:whole]) if event.id]
                rest = rest[whole:]
                if self.seen and not self.run_id.done():
                    self.run_id.set_result(self.seen[0].data["run_id"])
        assert self.seen[-1].type in ENDINGS, "it was sent away"


@asynccontextmanager
async def watched(
    http: httpx.AsyncClient, other: httpx.AsyncClient, assistant: str, inputs: Mapping[str, Any]
) -> AsyncIterator[tuple[str, list[list[Event]]]]:
    """A run with its sender, one who joins late, one who comes and goes, and one at another edge.

    Gives its id and the list of what each was told, which is whole at the end of the block.
    """
    sender, seen = Sender(http), list[list[Event]]()
    living = asyncio.create_task(sender.live(assistant, inputs))
    waiting = asyncio.ensure_future(sender.run_id)
    await asyncio.wait({living, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if living.done():
        living.result()
    run_id = await waiting
    late, restless, elsewhere = (Watcher(client, run_id) for client in (http, http, other))

    async def join() -> None:
        async def some_have_ended() -> bool:
            return sum(event.type == "step.completed" for event in sender.seen) >= 2 or living.done()

        await until(some_have_ended)
        await late.stay()

    seed = random.Random(str(inputs["mark"])).randrange(1000)
    watching = asyncio.gather(living, join(), restless.come_and_go(seed), elsewhere.stay())
    try:
        yield run_id, seen
        await asyncio.wait_for(watching, RUN_SECONDS)
    finally:
        watching.cancel()
    seen += [sender.seen, late.seen, restless.seen, elsewhere.seen]


def assert_all_saw_the_same(seen: list[list[Event]]) -> None:
    """Each in an order that makes sense, and in the end the same."""
    for place, events in enumerate(seen):
        assert checked(events).whole() == [], f"watcher {place}"
    first, *others = [shown(events) for events in seen]
    for other in others:
        assert other == first


def assert_as(run: dict[str, Any], wanted: Evaluation, definition: Definition) -> None:
    """A run that has ended, held against the reference: every step that is sure, its question and its answer."""
    assert (run["status"], (run["error"] or {}).get("code")) == (wanted.outcome, wanted.code)
    assert (run["done"], run["total"]) == (len(definition.steps), len(definition.steps))
    for step in run["steps"]:
        name, sure = step["step"], wanted.steps[step["step"]]
        if name not in wanted.sure:
            assert step["status"] in (sure.outcome, "cancelled", "skipped", "failed"), step
            assert sure.output.startswith(step["output"] or ""), step
            continue
        assert (step["status"], step["reason"]) == (sure.outcome, sure.reason), name
        assert (step["output"] or "") == sure.output, name
        assert tuple((turn["role"], turn["content"]) for turn in step["turns"]) == sure.turns, name
        assert step["attempts"] == sure.attempts, name
        assert not sure.model or step["model"] == sure.model, name
        assert not sure.code or step["error"]["code"] == sure.code, name
    if wanted.sure == set(wanted.steps):
        assert run["outputs"] == {name: text for name, text in wanted.outputs(definition).items() if text}

"""What anybody may hear: facts without words, and listening changes nothing."""

import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from contracts import catalogue
from tests.fixtures.bus import api, plain_client
from tests.fixtures.events import Told, follow, send
from tests.fixtures.model_server import ModelServer
from tests.fixtures.polling import until
from tests.fixtures.stack import Stack
from tests.fixtures.subscriber import listening, subscriber
from tests.integration.compare.over_http import compare

PROMPT, ANSWER, TITLE, SYSTEM, COMMENT = "xylophone", "bassoon", "harpsichord", "accordion", "clavichord"
STREAMS = ("RUNS", "WORK", "EVENTS", "DEAD", "TIMERS")


def shape(told: Told) -> list[tuple[str, Any]]:
    """What a run told, without what differs from run to run."""
    passing = {"at", "run_id", "conversation_id", "message_id", "timings", "text", "ends"}
    return [
        (event.type, {name: value for name, value in event.data.items() if name not in passing})
        for event in told.events
        if event.type != "generation.delta"
    ]


async def consumers(stack: Stack) -> dict[str, set[str]]:
    """The product's consumers of each stream."""
    async with plain_client(stack.servers) as client:
        lists = {stream: await api(client, f"CONSUMER.LIST.{stream}") for stream in STREAMS}
    return {
        stream: {
            consumer["config"]["durable_name"]
            for consumer in found["consumers"]
            if "durable_name" in consumer["config"]
        }
        for stream, found in lists.items()
    }


async def facts_of(
    stack: Stack, run: Callable[[httpx.AsyncClient], Awaitable[Told]]
) -> tuple[Told, list[tuple[str, dict[str, Any]]]]:
    """A run and what is said of it on `evt.>`, by subject and names of fields."""
    heard: list[tuple[str, dict[str, Any]]] = []
    async with plain_client(stack.servers) as client, stack.client() as http:

        async def on_fact(message: Any) -> None:
            heard.append((message.subject, json.loads(message.data)))

        await client.subscribe("evt.>", cb=on_fact)
        await client.flush()
        told = await run(http)

        async def ended() -> bool:
            return any(
                s.startswith("evt.chat.run.") and s != "evt.chat.run.created" and f["run_id"] == told.run_id
                for s, f in heard
            )

        await until(ended)
    conversation = told.one("run.created")["conversation_id"]
    mine = [(s, f) for s, f in heard if told.run_id == f.get("run_id") or conversation == f.get("conversation_id")]
    return told, mine


async def run_assistant(http: httpx.AsyncClient) -> str:
    """Make an assistant, run it, approve its step and delete it."""
    approval = {"instructions": f"Is it about a {PROMPT}?"}
    step = {"name": "answer", "prompt": f"What is a {PROMPT}?", "model": "demo-swift", "approval": approval}
    body = {"name": f"A {TITLE}", "description": f"On the {SYSTEM}.", "definition": {"steps": [step]}}
    assistant = str((await http.post("/v1/assistants", json=body)).json()["id"])
    run = (await http.post(f"/v1/assistants/{assistant}/runs", json={})).json()["run_id"]
    decision = {"decision": "approve", "comment": f"What a {COMMENT}!"}

    async def decided() -> bool:
        return (await http.post(f"/v1/runs/{run}/steps/answer/approval", json=decision)).status_code == 200

    await until(decided)
    await follow(http, f"/v1/runs/{run}/events")
    assert (await http.delete(f"/v1/assistants/{assistant}")).status_code == 204
    return assistant


async def test_facts_carry_no_words(stack: Stack, model_server: ModelServer) -> None:
    heard: list[bytes] = []
    async with plain_client(stack.servers) as client, stack.client(email="ada@example.com") as http:

        async def on_fact(message: Any) -> None:
            heard.append(message.subject.encode() + b" " + message.data + repr(message.headers).encode())

        await client.subscribe("evt.>", cb=on_fact)
        await client.flush()
        new = {"title": f"A {TITLE}", "system": f"You are an {SYSTEM}."}
        conversation = (await http.post("/v1/conversations", json=new)).json()["id"]
        await model_server.reply(f"A {ANSWER}, of course.", model="gpt-4o")
        told = await send(http, f"What is a {PROMPT}?", conversation=conversation, model="mock", notify="always")
        rated = f"/v1/conversations/{conversation}/messages/{told.one('run.created')['message_id']}/rating"
        assert (await http.put(rated, json={"value": "up", "comment": f"What a {COMMENT}!"})).status_code == 200
        await model_server.fail(400, message=f"no {ANSWER} today", model="gpt-4o")
        failed = await send(http, f"And a {PROMPT}?", conversation=conversation, model="mock")
        await http.delete(f"/v1/conversations/{conversation}")
        await model_server.reply(f"A {ANSWER} again.", model="gpt-4o")
        compared = await compare(http, f"What is a {PROMPT}?", "mock", "demo-swift", title=f"A {TITLE}")
        comparison = f"/v1/comparisons/{compared.run_id}"
        voted = await http.post(f"{comparison}/votes", json={"outcome": "tie", "comment": f"What a {COMMENT}!"})
        assert voted.status_code == 200
        assert (await http.delete(comparison)).status_code == 204
        assistant = await run_assistant(http)

        def missing() -> list[str]:
            """What is still to be told; no service waits for another, so nothing says which fact is the last one."""
            gone = ((b"conversation.deleted", conversation), (b"comparison.deleted", compared.run_id))
            gone += ((b"assistant.deleted", assistant),)
            own = [of for what, of in gone if not any(what in fact and of.encode() in fact for fact in heard)]
            kinds = [fact.SUBJECT.partition("{")[0] for fact in catalogue.FACTS]
            return own + [kind for kind in kinds if not any(fact.startswith(kind.encode()) for fact in heard)]

        async def all_told() -> bool:
            return not missing()

        with contextlib.suppress(AssertionError):  # the next line says what is missing
            await until(all_told)
        assert not missing(), "both together make every kind of fact"
    assert ANSWER in told.text()
    assert failed.types[-1] == "run.failed"
    said = b"\n".join(heard)
    for word in (PROMPT, ANSWER, TITLE, SYSTEM, COMMENT):
        assert word.encode() not in said


async def test_adding_a_subscriber_changes_nothing(stack: Stack) -> None:
    async def ask(http: httpx.AsyncClient) -> Told:
        return await send(http, "Does anybody listen?")

    names_before = await consumers(stack)
    without, facts_without = await facts_of(stack, ask)
    async with subscriber("--url", stack.servers.nats_url) as running:
        await listening(running)
        names_with = await consumers(stack)
        heard, facts_with = await facts_of(stack, ask)
        await running.heard("evt.chat.run.completed", heard.run_id)
    assert names_before["EVENTS"], "the product has consumers"
    assert names_with == names_before == await consumers(stack)
    assert shape(heard) == shape(without)
    assert heard.text() == without.text()
    assert sorted((s, sorted(f)) for s, f in facts_with) == sorted((s, sorted(f)) for s, f in facts_without)

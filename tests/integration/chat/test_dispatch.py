"""A crash between the commit of a run and its way onto the bus is healed by the sweep, once."""

import json
from typing import Any

import httpx

from kit.ids import new_id
from kit.runlog.lane import RunKey
from tests.fixtures.bus import held, plain_client, subjects_of
from tests.fixtures.database import database
from tests.fixtures.events import follow, send
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Stack
from tests.integration.chat.world import World

_COPY = """
    WITH old AS (SELECT * FROM chat.run WHERE id = $1), conversation AS (
        INSERT INTO chat.conversation SELECT $3, tenant, "user", title, system, now(), now()
        FROM chat.conversation WHERE id = (SELECT conversation_id FROM old) RETURNING id
    ), message AS (
        INSERT INTO chat.message (id, conversation_id, position, role, content, status, created_at)
        SELECT $4, (SELECT id FROM conversation), 1, 'user', 'Hello', 'completed', now()
    )
    INSERT INTO chat.run (id, tenant, "user", conversation_id, message_id, position, model, begins_conversation, status,
                          request, created_at)
    SELECT $2, tenant, "user", (SELECT id FROM conversation), $5, 2, model, true, 'running',
           CAST($6 AS jsonb), now() - interval '10 seconds'
    FROM old
"""


async def left_behind(servers: Servers, pattern: str, name: str, **changes: Any) -> str:
    """A run as chat leaves it when it dies right after the commit: like `pattern`, but never dispatched."""
    run_id = f"chat_{name}"
    async with database(servers) as connection:
        request = json.loads(await connection.fetchval("SELECT request FROM chat.run WHERE id = $1", pattern))
        request |= {"run_id": run_id, **changes}
        ids = (run_id, f"conv_{name}", f"msg_{name}_1", f"msg_{name}_2")
        await connection.execute(_COPY, pattern, *ids, json.dumps(request))
    return run_id


async def facts_of(servers: Servers, run_id: str) -> list[str]:
    """The subjects of the facts that were told of a run."""
    async with plain_client(servers) as client:
        facts = await held(client, "EVENTS")
    return sorted(fact.subject for fact in facts if f'"run_id":"{run_id}"'.encode() in fact.data)


async def dispatched(servers: Servers, run_id: str) -> bool:
    """Whether chat has marked it."""
    async with database(servers) as connection:
        return bool(await connection.fetchval("SELECT dispatched_at FROM chat.run WHERE id = $1", run_id))


async def name_of(http: httpx.AsyncClient) -> tuple[str, str]:
    """A run to copy, and a name that nobody else uses."""
    told = await send(http, "Hello")
    return told.run_id, new_id("x").removeprefix("x_")


async def test_a_run_that_never_reached_the_bus_is_answered_once(stack: Stack, servers: Servers) -> None:
    async with stack.client() as http:
        pattern, name = await name_of(http)
        run_id = await left_behind(servers, pattern, name)
        told = await follow(http, f"/v1/runs/{run_id}/events")
        assert told.types[-1] == "run.completed"
        assert [event.type for event in told.events].count("run.created") == 1
        assert [event.type for event in told.events].count("generation.started") == 1
        assert "You said “Hello”" in told.text()
        await until(lambda: dispatched(servers, run_id))

        facts = ["evt.chat.run.completed", "evt.chat.run.created", "evt.inference.generation.completed"]

        async def all_told() -> bool:
            return set(facts) <= set(await facts_of(servers, run_id))

        await until(all_told)
        assert await facts_of(servers, run_id) == facts
        again = await follow(http, f"/v1/runs/{run_id}/events")
        assert [event.id for event in again.events] == [event.id for event in told.events]


async def test_a_run_whose_mark_was_lost_is_not_answered_again(stack: Stack, servers: Servers) -> None:
    async with stack.client() as http:
        told = await send(http, "Hello")
        async with database(servers) as connection:
            await connection.execute(
                "UPDATE chat.run SET dispatched_at = NULL, created_at = now() - interval '10 seconds' WHERE id = $1",
                told.run_id,
            )
        await until(lambda: dispatched(servers, told.run_id))

        async def idle() -> bool:
            async with plain_client(servers) as client:
                return not await subjects_of(client, "WORK", ">")

        await until(idle)
        again = await follow(http, f"/v1/runs/{told.run_id}/events")
        assert [event.id for event in again.events] == [event.id for event in told.events]
        assert (await facts_of(servers, told.run_id)).count("evt.inference.generation.completed") == 1


async def test_one_run_that_cannot_be_dispatched_keeps_no_other_waiting(stack: Stack, servers: Servers) -> None:
    async with stack.client() as http:
        pattern, name = await name_of(http)
        broken = await left_behind(servers, pattern, f"{name}a", messages="no messages")
        good = await left_behind(servers, pattern, f"{name}b")
        assert (await follow(http, f"/v1/runs/{good}/events")).types[-1] == "run.completed"
        assert not await dispatched(servers, broken)
        async with database(servers) as connection:
            await connection.execute("DELETE FROM chat.run WHERE id = $1", broken)


async def test_a_run_that_is_stopped_before_it_reached_the_bus_has_its_beginning(
    stack: Stack, servers: Servers
) -> None:
    async with stack.client() as http:
        pattern, name = await name_of(http)
        run_id = await left_behind(servers, pattern, name)
        assert (await http.post(f"/v1/runs/{run_id}/cancel")).status_code == 200
        told = await follow(http, f"/v1/runs/{run_id}/events")
        assert told.types[0] == "run.created"
        assert told.types[-1] in {"run.cancelled", "run.completed"}, "the sweep may have been faster"
        await until(lambda: dispatched(servers, run_id))
        again = await follow(http, f"/v1/runs/{run_id}/events")
        assert [event.id for event in again.events] == [event.id for event in told.events]


async def test_of_a_run_that_is_over_only_the_facts_are_left_to_tell(world: World) -> None:
    """A worker that took its order when its log was purged would answer nobody, and be paid for it."""
    await world.replica(sweep_seconds=0.05)
    key = await world.begin()
    await world.cancel(key)
    await until(lambda: world.is_told(key))
    await world.bus.client.jetstream().purge_stream("WORK")
    other = RunKey(key.tenant, key.user, f"{key.run}x")  # of its own order the bus still has the id
    await world.execute(
        """UPDATE chat.run SET id = $1::text, request = jsonb_set(request, '{run_id}', to_jsonb($1::text)),
                               dispatched_at = NULL, created_at = now() - interval '10 seconds'""",
        other.run,
    )

    async def dispatched_again() -> bool:
        return (await world.row(other))["dispatched_at"] is not None

    await until(dispatched_again)
    assert await subjects_of(world.bus.client, "WORK", ">") == {}

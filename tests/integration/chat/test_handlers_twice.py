"""Every message may come twice, and long after the bus has forgotten it: nothing happens the second time."""

from base64 import b64decode
from typing import Any

import httpx

from kit.bus.api import parse_headers
from tests.fixtures.bus import api, plain_client, subjects_of
from tests.fixtures.database import rows
from tests.fixtures.events import Told, follow, send
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Stack


async def fact_of(servers: Servers, subject: str, run_id: str) -> tuple[bytes, dict[str, str]]:
    """The body and headers of what was told of a run."""
    async with plain_client(servers) as client:
        last = (await api(client, "STREAM.INFO.EVENTS"))["state"]["last_seq"]
        for sequence in range(last, max(0, last - 500), -1):
            message = (await api(client, "STREAM.MSG.GET.EVENTS", {"seq": sequence}))["message"]
            data = b64decode(message["data"])
            if message["subject"] == subject and run_id.encode() in data:
                return data, parse_headers(b64decode(message.get("hdrs", "")))
    raise AssertionError(f"nothing was told of {run_id} on {subject}")


async def settled(servers: Servers, stream: str, consumer: str) -> None:
    """Wait until a consumer has handled all there is."""

    async def idle() -> bool:
        async with plain_client(servers) as client:
            info = await api(client, f"CONSUMER.INFO.{stream}.{consumer}")
        return info["num_pending"] == 0 and info["num_ack_pending"] == 0

    await until(idle)


async def everything(http: httpx.AsyncClient, servers: Servers, told: Told) -> list[Any]:
    """All that is known of a run."""
    run = (await http.get(f"/v1/runs/{told.run_id}")).json()
    messages = (await http.get(f"/v1/conversations/{run['conversation_id']}/messages")).json()
    replayed = await follow(http, f"/v1/runs/{told.run_id}/events")
    stored = await rows(servers, "SELECT id, status, ended_at FROM chat.run WHERE id = $1", told.run_id)
    return [run, messages, replayed.raw, stored]


async def test_a_generation_that_ended_twice_ends_its_run_once(stack: Stack, servers: Servers) -> None:
    async with stack.client() as http:
        told = await send(http, "Hello")
        before = await everything(http, servers, told)
        subject = "evt.inference.generation.completed"
        body, headers = await fact_of(servers, subject, told.run_id)
        headers.pop("Nats-Msg-Id")
        async with plain_client(servers) as client:
            for _ in range(3):
                await client.jetstream().publish(subject, body, headers=headers)
        await settled(servers, "EVENTS", "chat-generation-ended")
        assert await everything(http, servers, told) == before
        assert (await send(http, "Next")).types[-1] == "run.completed"


async def test_a_request_that_comes_again_is_not_answered_again(stack: Stack, servers: Servers) -> None:
    async with stack.client() as http:
        told = await send(http, "Hello")
        before = await everything(http, servers, told)
        (row,) = await rows(servers, "SELECT request FROM chat.run WHERE id = $1", told.run_id)
        async with plain_client(servers) as client:
            for _ in range(3):
                await client.jetstream().publish("work.inference.generate.interactive", row["request"].encode())

            async def idle() -> bool:
                return not await subjects_of(client, "WORK", ">")

            await until(idle)
        await settled(servers, "EVENTS", "chat-generation-ended")
        assert await everything(http, servers, told) == before


async def test_a_request_that_cannot_be_read_is_parked_with_its_reason(stack: Stack, servers: Servers) -> None:
    for number, body in enumerate((b"garbage", b"{}", b'{"run_id": "chat_x"}', b"\xff")):
        async with plain_client(servers) as client:
            before = (await api(client, "STREAM.INFO.DEAD"))["state"]["messages"]
            await client.jetstream().publish("work.inference.generate.interactive", body)

            async def parked(before: int = before) -> bool:
                return bool((await api(client, "STREAM.INFO.DEAD"))["state"]["messages"] > before)

            await until(parked)
            subject = "dead.work.inference.generate.interactive"
            message = (await api(client, "STREAM.MSG.GET.DEAD", {"last_by_subj": subject}))["message"]
            assert b64decode(message["data"]) == body, number
            headers = parse_headers(b64decode(message["hdrs"]))
            assert (
                "ValidationError" in headers["Studio-Dead-Reason"]
                or "validation error" in headers["Studio-Dead-Reason"]
            )

            async def idle() -> bool:
                return not await subjects_of(client, "WORK", ">")

            await until(idle)
    async with stack.client() as http:
        assert (await send(http, "Hello")).types[-1] == "run.completed"

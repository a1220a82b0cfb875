"""A completion whose client is gone is stopped, unless somebody may come back for it."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kit.runtime.ports import free_port
from tests.fixtures.polling import until
from tests.fixtures.stack import Process, Stack
from tests.integration.openai_sdk.clients import MARATHON, begun, ended, signed_in, user

CHAT: dict[str, Any] = {"model": "demo-marathon", "messages": user(MARATHON)}
RESPONSE: dict[str, Any] = {"model": "demo-marathon", "input": MARATHON}
BOTH = pytest.mark.parametrize(
    ("path", "body"), [("/v1/chat/completions", CHAT), ("/v1/responses", RESPONSE)], ids=["chat", "responses"]
)


@BOTH
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
async def test_what_nobody_waits_for_is_stopped_and_kept(
    stack: Stack, path: str, body: dict[str, Any], stream: bool
) -> None:
    async with stack.client() as http:
        waiting = asyncio.create_task(_read(http, path, {**body, "stream": stream}))
        run_id = await begun(http)
        waiting.cancel()
        run = await ended(http, run_id)
        assert run["status"] == "cancelled"
        assert run["text"]


async def test_closing_the_clients_stream_stops_it(stack: Stack) -> None:
    async with signed_in(stack) as (client, http):
        stream = await client.chat.completions.create(**CHAT, stream=True)
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        await stream.close()
        run_id = f"chat_{chunk.id.removeprefix('chatcmpl-')}"
        assert (await ended(http, run_id))["status"] == "cancelled"


@BOTH
async def test_with_a_key_it_goes_on_and_is_told_again_from_its_start(
    stack: Stack, path: str, body: dict[str, Any]
) -> None:
    ask = user("120 tokens at 60 tokens per second")
    body = {"model": "demo-marathon", "stream": True, **({"messages": ask} if "messages" in body else {"input": ask})}
    headers = {"idempotency-key": f"key {os.getpid()}"}
    async with stack.client() as http:
        async with http.stream("POST", path, json=body, headers=headers) as answer:
            first = answer.headers["x-studio-run-id"]
            async for piece in answer.aiter_bytes():
                assert piece
                break
        joined = await http.post(path, json=body, headers=headers)
        after = await http.post(path, json=body, headers=headers)
        assert {answer.headers["x-studio-run-id"] for answer in (joined, after)} == {first}
        assert "119 " in joined.text
        run = await ended(http, first)
        assert run["status"] == "completed"
        whole = (await http.post(path, json={**body, "stream": False}, headers=headers)).json()
        texts = [item["content"][0]["text"] for item in whole.get("output", ())]
        texts += [choice["message"]["content"] for choice in whole.get("choices", ())]
        assert texts == [run["text"]]
        other = await http.post(path, json={**body, "model": "demo-swift"}, headers=headers)
        assert other.status_code == 409
        assert other.json()["error"]["type"] == "idempotency_error"
        assert other.headers["x-should-retry"] == "false"


async def test_a_response_in_the_background_goes_on(stack: Stack) -> None:
    async with signed_in(stack) as (client, http):
        stream = await client.responses.create(
            model="demo-marathon", input="60 tokens at 60 tokens per second", background=True, stream=True
        )
        first = await anext(aiter(stream))
        await stream.close()
        assert first.type == "response.created"
        run_id = f"chat_{first.response.id.removeprefix('resp_')}"
        assert (await ended(http, run_id))["status"] == "completed"


async def test_an_edge_that_stops_says_so_and_stops_what_it_alone_was_asked(stack: Stack, tmp_path: Path) -> None:
    """Also what was left shortly before: nobody else knows of it."""
    async with another_edge(stack, tmp_path) as (edge, url), contextlib.AsyncExitStack() as users:
        left, streamed, waiting, keeper = clients = [await users.enter_async_context(stack.client()) for _ in range(4)]
        streams, key = {**CHAT, "stream": True}, {"idempotency-key": "a key"}
        gone = asyncio.create_task(_read(left, f"{url}/v1/chat/completions", streams))
        answers = [
            asyncio.create_task(_read(streamed, f"{url}/v1/chat/completions", streams)),
            asyncio.create_task(_read(waiting, f"{url}/v1/responses", RESPONSE)),
            asyncio.create_task(_read(keeper, f"{url}/v1/responses", {**RESPONSE, "stream": True}, key)),
        ]
        runs = [await begun(http) for http in clients]
        gone.cancel()
        await asyncio.wait([gone])
        assert await edge.stop() == 0
        told, refused, kept = [await answer for answer in answers]
        assert '"server_stopping"' in told.text
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "server_stopping")
        assert '"server_stopping"' in kept.text
        for http, run_id in zip(clients[:3], runs[:3], strict=True):
            assert (await ended(http, run_id))["status"] == "cancelled"
        assert (await keeper.get(f"/v1/runs/{runs[3]}")).json()["status"] == "running"
        await keeper.post(f"/v1/runs/{runs[3]}/cancel")


@contextlib.asynccontextmanager
async def another_edge(stack: Stack, folder: Path) -> AsyncIterator[tuple[Process, str]]:
    """An edge of a test's own, that is patient with those who are gone."""
    port = free_port()
    settings = {
        "STUDIO_EDGE_PORT": str(port), "STUDIO_EDGE_ABANDONED_SECONDS": "600", "STUDIO_EDGE_DRAIN_SECONDS": "0.2"
    }  # fmt: skip
    edge, url = Process("edge", {**stack.environment, **settings}, folder / "edge.log"), f"http://127.0.0.1:{port}"
    await edge.start()

    async def ready() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return (await http.get(f"{url}/readyz")).status_code == 200
        return False

    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            await until(ready, seconds=60)
        yield edge, url
    finally:
        await edge.stop()


async def _read(
    http: httpx.AsyncClient, path: str, body: dict[str, Any], headers: dict[str, str] | None = None
) -> httpx.Response:
    return await http.post(path, json=body, headers=headers)

"""The hashing model as an OpenAI-compatible server that remembers every call."""

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from aiohttp import web

from services.inference.continuation import GO_ON
from tests.assistants.hashing import MODELS, Message, Order, Said, digest, order_of, pieces, say, understand

MAX_BODY_BYTES = 64 * 1024 * 1024


class Call(msgspec.Struct, omit_defaults=True):
    """One call. Times are monotonic seconds of this machine."""

    step: str
    model: str
    mode: str
    number: int
    """Calls for the same messages before it."""
    opened_at: float
    messages: tuple[Message, ...] = ()
    said: int = 0
    """Characters."""
    manner: str = ""
    """How it ended; empty: it goes on, or the caller has gone."""
    closed_at: float | None = None


class HashModel:
    """Answers calls, and keeps their record by the mark in their orders."""

    def __init__(self) -> None:
        self.base_url = ""
        self.calls: defaultdict[str, list[Call]] = defaultdict(list)
        self._asked: Counter[str] = Counter()

    def asked(self, mark: str) -> Counter[str]:
        """How often it was called for each step."""
        return Counter(call.step for call in self.calls[mark])

    def application(self) -> web.Application:
        """The routes."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post("/v1/chat/completions", self.complete)
        app.router.add_get("/v1/models", self.models)
        app.router.add_get("/calls-of/{mark}", self.calls_of)
        return app

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": name} for name in MODELS]})

    async def calls_of(self, request: web.Request) -> web.Response:
        told = self.calls.get(request.match_info["mark"], [])
        return web.Response(body=msgspec.json.encode(told), content_type="application/json")

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """One call, from its first byte to the end of its connection or its answer."""
        body = await request.json()
        model = str(body["model"])
        asked = understand(tuple((said["role"], said["content"] or "") for said in body["messages"]), GO_ON)
        try:
            order = order_of(asked.messages)
        except ValueError as error:
            return _error(400, str(error))
        question = digest(asked.messages, model)
        call = Call(order.step, model, asked.mode, self._asked[question], time.monotonic(), asked.messages)
        self._asked[question] += 1
        self.calls[order.mark].append(call)
        said = say(asked.messages, model, call.number)
        try:
            if said.manner == "refused":
                call.manner = said.manner
                return _error(said.status, "refused, on order", order.after)
            if not say(asked.messages, model, order.times).text.startswith(asked.beginning):
                call.manner = "not mine"
                return _error(400, f"this beginning is not mine: …{asked.beginning[-100:]!r}")
            response = web.StreamResponse(headers={"content-type": "text/event-stream"})
            await response.prepare(request)
            await self._say(request, response, call, len(asked.beginning), order, said)
        finally:  # also when the client has closed it
            call.closed_at = time.monotonic()
        return response

    async def _say(
        self, request: web.Request, response: web.StreamResponse, call: Call, start: int, order: Order, said: Said
    ) -> None:
        at = time.monotonic() + order.first
        for wait, piece in pieces(said.text, start, order.rate):
            at += wait
            if (early := at - time.monotonic()) > 0:  # what came late makes nothing after it late
                await asyncio.sleep(early)
            await response.write(_chunk({"content": piece}))
            call.said += len(piece)
        if said.manner == "hangs":
            call.manner = said.manner
            await asyncio.Event().wait()
        if said.manner == "broken":
            error = {"message": "broken, on order", "type": "invalid_request_error"}
            await response.write(_data({"error": error}))
        elif said.manner == "cut":
            assert request.transport is not None
            await asyncio.sleep(0.02)  # what was said is to arrive
            request.transport.abort()
        else:
            usage = {"prompt_tokens": 7, "completion_tokens": order.words, "total_tokens": order.words + 7}
            ending = _chunk({}, finish="stop") + _data({"choices": [], "usage": usage}) + b"data: [DONE]\n\n"
            await response.write(ending)
        call.manner = said.manner


def _chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    return _data({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _data(value: Any) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def _error(status: int, text: str, after: int = 0) -> web.Response:
    headers = {"Retry-After": str(after)} if after else None
    return web.json_response({"error": {"message": text}}, status=status, headers=headers)


@contextlib.asynccontextmanager
async def hash_model() -> AsyncIterator[HashModel]:
    """One that listens on a free port."""
    model = HashModel()
    runner = web.AppRunner(model.application(), handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        model.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        yield model
    finally:
        await runner.cleanup()


def catalogue_entries() -> list[dict[str, Any]]:
    """Its models, each with another way of going on; the provider is called `hash`."""
    ways = zip(MODELS, ("prefill", "continue", "restart"), strict=True)
    common = {"provider": "hash", "context_window": 100_000, "prices": {"input": 1, "output": 2}}
    return [{"id": name, "name": name, "model": name, "continuation": way, **common} for name, way in ways]

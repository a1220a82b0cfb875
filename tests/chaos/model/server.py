"""The counting model as an OpenAI-compatible server, in a process of its own so that nothing of ours disturbs its pace.

It remembers every call: how it was to go on, how much it said, and when its connection was closed. `GET /calls/…`
tells. Times are of the machine's monotonic clock, which all processes share.
"""

import argparse
import asyncio
import time
from collections import defaultdict
from typing import Any

import msgspec
from aiohttp import web

from tests.assistants.model import HashModel
from tests.chaos.model import counting
from tests.chaos.model.record import HASHING, Call


class CountingModel:
    """Answers calls and keeps their record."""

    def __init__(self) -> None:
        self._calls: defaultdict[str, list[Call]] = defaultdict(list)

    def application(self) -> web.Application:
        """The routes."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self.complete)
        app.router.add_get("/v1/models", self.models)
        app.router.add_get("/calls/{marker}", self.calls)
        app.add_subapp(HASHING, HashModel().application())
        return app

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": name} for name in counting.MODELS]})

    async def calls(self, request: web.Request) -> web.Response:
        told = self._calls.get(request.match_info["marker"], [])
        return web.Response(body=msgspec.json.encode(told), content_type="application/json")

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """One call, from its first byte to the end of its connection or its answer."""
        body = await request.json()
        model, asked = str(body["model"]), counting.understand(body["messages"])
        if asked is None:
            return _error(400, "there is no order in this call")
        calls = self._calls[asked.order.marker]
        peer = request.transport.get_extra_info("peername") if request.transport else None
        call = Call(number=len(calls), mode=asked.mode, opened_at=time.monotonic(), port=peer[1] if peer else 0)
        calls.append(call)
        if call.number < asked.order.refusals:
            call.refused, call.closed_at = "on order", time.monotonic()
            return _error(503, "busy, on order", headers={"Retry-After": "1"})
        text = counting.answer(asked.order, model, call.number)
        if not text.startswith(asked.beginning) or (asked.beginning and model == counting.RESTART):
            call.refused, call.closed_at = f"this beginning is not mine: {asked.beginning[-200:]!r}", time.monotonic()
            return _error(400, call.refused)
        call.start = len(asked.beginning)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        try:
            await response.prepare(request)
            await self._say(response, call, asked, model, text)
        finally:  # cancelled or refused by the connection: the client has closed it
            call.closed_at = time.monotonic()
        return response

    async def _say(
        self, response: web.StreamResponse, call: Call, asked: counting.Asked, model: str, text: str
    ) -> None:
        order, at = asked.order, time.monotonic() + asked.order.first_ms / 1000
        if asked.mode == "begin":
            for wait, piece in counting.pieces(order, counting.thoughts(order, call.number)) if order.thinking else ():
                at += wait
                await _until(at)
                await response.write(_chunk({"reasoning_content": piece}))
        if asked.mode == "continue" and (again := counting.repetition(order, asked.beginning, call.number)):
            call.repeated = len(again)
            await _until(at)
            await response.write(_chunk({"content": again}))
        for wait, piece in counting.pieces(order, text, call.start):
            at += wait
            await _until(at)
            await response.write(_chunk({"content": piece}))
            call.said += len(piece)
        usage = {"prompt_tokens": 1, "completion_tokens": order.words, "total_tokens": order.words + 1}
        ending = _chunk({}, finish="stop") + _data({"choices": [], "usage": usage}) + b"data: [DONE]\n\n"
        call.finished = True
        await response.write(ending)


async def _until(moment: float) -> None:
    """Wait for a moment that was planned: what came late makes nothing after it late."""
    if (wait := moment - time.monotonic()) > 0:
        await asyncio.sleep(wait)


def _chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    return _data({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _data(value: Any) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def _error(status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"message": text}}, status=status, headers=headers)


async def serve(port: int) -> None:
    """Serve until killed; whoever starts it sees to that."""
    runner = web.AppRunner(CountingModel().application(), handler_cancellation=True, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(serve(parser.parse_args().port))

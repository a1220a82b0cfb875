"""A stream with its watchers against an edge that misbehaves on purpose."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import msgspec
import pytest
from aiohttp import web

from tests.chaos.check.verdict import Verdict
from tests.chaos.client import stream as stream_module
from tests.chaos.client.sse import Frame
from tests.chaos.client.stream import Stream
from tests.chaos.client.user import User
from tests.chaos.client.view import event
from tests.chaos.faults.history import History
from tests.chaos.model import counting
from tests.chaos.model.counting import Order
from tests.chaos.model.record import Call, Record

ORDER = Order(marker="m", words=6, rate=100)
TEXT = counting.answer(ORDER, counting.PREFILL, 0)


def whole() -> list[Frame]:
    words = TEXT.split(" ")
    deltas = [event("generation.delta", "", text=word if n == 0 else f" {word}") for n, word in enumerate(words)]
    frames = [
        event("run.created", lane="run", run_id="chat_1"),
        *deltas,
        event("generation.completed", text=TEXT),
        event("run.completed", lane="run"),
    ]
    return [Frame(f"e-{place}", frame.type, frame.data) for place, frame in enumerate(frames, start=1)]


@dataclass
class FakeEdge:
    """Tells these events; cuts each connection after so many."""

    frames: list[Frame] = field(default_factory=whole)
    events_per_connection: int = 1000
    stored: str = TEXT
    resumed: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    url: str = ""

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/conversations/new/messages", self.send)
        app.router.add_get("/v1/runs/chat_1/events", self.events)
        app.router.add_get("/v1/runs/chat_1", self.run)
        app.router.add_get("/v1/conversations/conv_1/messages", self.messages)
        app.router.add_get("/calls/m", self.calls)
        return app

    async def send(self, request: web.Request) -> web.StreamResponse:
        self.keys.add(request.headers["idempotency-key"])
        if "event-stream" in request.headers.get("accept", ""):
            return await self.events(request)
        return web.json_response({"run_id": "chat_1"}, status=202)

    async def events(self, request: web.Request) -> web.StreamResponse:
        after = request.headers.get("last-event-id", "")
        self.resumed += [after] if after else []
        start = next((place for place, frame in enumerate(self.frames, 1) if frame.id == after), 0)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for frame in self.frames[start : start + self.events_per_connection]:
            data = msgspec.json.encode(frame.data).decode()
            await response.write(f"retry: 10\nid: {frame.id}\nevent: {frame.type}\ndata: {data}\n\n".encode())
        return response

    async def run(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "completed", "text": self.stored, "conversation_id": "conv_1"})

    async def messages(self, request: web.Request) -> web.Response:
        said = {"role": "assistant", "content": self.stored, "run_id": "chat_1"}
        return web.json_response({"items": [said]})

    async def calls(self, request: web.Request) -> web.Response:
        return web.Response(body=msgspec.json.encode([Call(number=0, mode="begin", opened_at=0.0)]))


@pytest.fixture
async def edge() -> AsyncIterator[FakeEdge]:
    fake = FakeEdge()
    runner = web.AppRunner(fake.application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield fake
    await runner.cleanup()


async def lived(edge: FakeEdge) -> Verdict:
    rng = random.Random(1)
    async with aiohttp.ClientSession() as http:
        user = User(http, [edge.url], "token", rng, [])
        stream = Stream(ORDER, counting.PREFILL, user, rng, History(), Record(http, edge.url), watchers=2, calm=True)
        return await stream.live()


async def test_a_good_edge_passes(edge: FakeEdge) -> None:
    verdict = await lived(edge)
    assert not verdict.violations
    assert verdict.watchers == 3, "two, and one that reloads"
    assert len(edge.keys) == 1


async def test_a_cut_connection_is_resumed_by_cursor(edge: FakeEdge) -> None:
    edge.events_per_connection = 2
    verdict = await lived(edge)
    assert not verdict.violations
    assert {"e-2", "e-4", "e-6"} <= set(edge.resumed)


async def test_an_edge_that_forgets_an_event_is_noticed(edge: FakeEdge) -> None:
    del edge.frames[4]
    verdict = await lived(edge)
    assert {violation.kind for violation in verdict.violations} >= {"lost", "shown"}
    assert verdict.tally.lost >= 2, "by each of its watchers"


async def test_an_edge_that_tells_twice_is_noticed(edge: FakeEdge) -> None:
    edge.frames.insert(4, edge.frames[3])
    assert (await lived(edge)).tally.duplicated >= 2


async def test_a_table_that_lacks_a_word_is_noticed(edge: FakeEdge) -> None:
    edge.stored = TEXT[:-10]
    verdict = await lived(edge)
    assert [violation.kind for violation in verdict.violations] == ["stored", "stored"], "the run and the message"


async def test_a_run_that_does_not_end_is_stuck(edge: FakeEdge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "BOUND_SECONDS", 1.0)
    del edge.frames[-1]
    async with asyncio.timeout(30):
        verdict = await lived(edge)
    assert verdict.stuck
    assert {violation.kind for violation in verdict.violations} == {"stuck"}

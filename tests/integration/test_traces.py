"""One trace follows one run through every process, as a real OTLP receiver gets it."""

import secrets
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.fixtures.dashboards import documented, unanswered
from tests.fixtures.database import rows
from tests.fixtures.events import opened, send
from tests.fixtures.model_server import ModelServer
from tests.fixtures.otlp import Collector, Span, running_collector
from tests.fixtures.own_servers import own_stack
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.fixtures.stack import SECRET, Stack

PATH = [
    ("studio-edge", "POST /v1/conversations/{conversation}/messages"),
    ("studio-edge", "rpc.chat.send_message request"),
    ("studio-chat", "rpc.chat.send_message process"),
    ("studio-chat", "work.inference.generate.interactive publish"),
    ("studio-inference", "generate"),
    ("studio-inference", "evt.inference.generation.completed publish"),
    ("studio-chat", "evt.inference.generation.completed process"),
    ("studio-chat", "evt.chat.run.completed publish"),
]
"""Each is the parent of the next."""

PROMPT, ANSWER = "xylophone-prompt", "bassoon-answer"


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    async with running_collector() as running:
        yield running


@pytest.fixture(scope="module")
async def traced(
    servers: Servers,
    shared_model_server: ModelServer,
    collector: Collector,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("traced")
    async with own_stack(servers, folder, shared_model_server, collector.settings) as running:
        async with running.client() as http:
            await send(http, "so that chat has asked for the models")
        yield running


class Caller:
    """A client that is traced itself."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.trace, self.span = secrets.token_bytes(16), secrets.token_bytes(8)
        http.headers["traceparent"] = f"00-{self.trace.hex()}-{self.span.hex()}-01"


async def find(collector: Collector, trace: bytes, service: str, name: str) -> Span:
    """The only span of that name in a trace, waited for."""

    def found() -> list[Span]:
        return [span for span in collector.trace(trace) if (span.service, span.name) == (service, name)]

    await collector.until(lambda: bool(found()), lambda: f"no {name} in {list(map(str, collector.trace(trace)))}")
    (only,) = found()
    return only


async def test_one_trace_shows_the_whole_path_of_a_run(
    traced: Stack, collector: Collector, model_server: ModelServer
) -> None:
    await model_server.reply(" ".join([ANSWER] * 30))
    async with traced.client() as http:
        caller = Caller(http)
        told = await send(http, PROMPT, model="mock")
    assert told.types[-1] == "run.completed"
    parent = caller.span
    for service, name in PATH:
        span = await find(collector, caller.trace, service, name)
        assert span.parent == parent, f"{span} has another parent"
        parent = span.id
    generate = await find(collector, caller.trace, "studio-inference", "generate")
    call = await find(collector, caller.trace, "studio-inference", "provider call")
    assert call.parent == generate.id
    assert generate.attributes["studio.run"] == told.run_id
    request = await find(collector, caller.trace, *PATH[0])
    assert request.attributes["studio.run"] == told.run_id
    assert request.attributes["http.response.status_code"] == "200"
    names = [str(span) for span in collector.trace(caller.trace)]
    assert len(names) == len(set(names)), "a span per token or chunk"


async def test_no_span_carries_words_or_secrets(traced: Stack, collector: Collector, model_server: ModelServer) -> None:
    async with traced.client() as http:
        caller = Caller(http)
        await model_server.reply(ANSWER)
        await send(http, PROMPT, model="mock")
        await model_server.fail(400, message=ANSWER)
        failed = await send(http, PROMPT, model="mock")
        await http.post("/v1/conversations/new/messages", json={"content": 1, "model": PROMPT})
        authorization = http.headers["authorization"].removeprefix("Bearer ")
    assert failed.types[-1] == "run.failed"
    await find(collector, caller.trace, "studio-chat", "evt.chat.run.failed publish")

    def raw() -> str:
        return "\n".join(str(span.raw) for span in collector.trace(caller.trace))

    await collector.until(lambda: "exception.type" in raw(), raw)  # the kind of an error is told
    for word in (PROMPT, ANSWER, authorization, SECRET, "service-password"):
        assert word not in raw()


async def test_a_probe_leaves_no_trace(traced: Stack, collector: Collector) -> None:
    async with traced.client() as http:
        await http.get("/readyz")
        caller = Caller(http)
        await http.get("/v1/runs")
    await find(collector, caller.trace, "studio-edge", "GET /v1/runs")
    await find(collector, caller.trace, "studio-chat", "rpc.chat.list_runs process")
    assert not [span for span in collector.spans if "readyz" in str(span.raw)]
    asked = [span for span in collector.spans if span.name.startswith("rpc.chat.list_runs")]
    assert {span.trace for span in asked} == {caller.trace}, "what a probe asks is not traced either"


async def test_what_a_sweep_repeats_belongs_to_the_run(traced: Stack, collector: Collector) -> None:
    async with traced.client() as http:
        caller = Caller(http)
        told = await send(http, "Hello")
    await find(collector, caller.trace, *PATH[3])  # the first time
    marked = "SELECT 1 FROM chat.run WHERE id = $1 AND dispatched_at IS NOT NULL"
    await until(lambda: rows(traced.servers, marked, told.run_id))
    unmark = "UPDATE chat.run SET dispatched_at = NULL, created_at = now() - interval '1 minute' WHERE id = $1"
    await rows(traced.servers, unmark, told.run_id)
    swept = await find(collector, caller.trace, "studio-chat", "dispatch")

    def published() -> list[Span]:
        return [span for span in collector.trace(caller.trace) if span.parent == swept.id]

    await collector.until(lambda: "evt.chat.run.created publish" in {span.name for span in published()}, published)


async def test_the_ending_of_a_run_whose_worker_died_belongs_to_it(traced: Stack, collector: Collector) -> None:
    async with traced.client() as http:
        caller = Caller(http)
        async with opened(http, "go on for 60 seconds", model="demo-marathon") as response:
            run_id = response.headers["location"].rsplit("/", 1)[1]
            async for line in response.aiter_lines():
                if line == "event: generation.delta":
                    break
            await traced.processes["inference"].kill()
        stopper = Caller(http)
        await http.post(f"/v1/runs/{run_id}/cancel")
    ending = await find(collector, caller.trace, "studio-chat", "end instead of the worker")
    assert ending.links == (stopper.trace,)
    fact = await find(collector, caller.trace, "studio-chat", "evt.inference.generation.cancelled process")
    await find(collector, caller.trace, "studio-chat", "evt.chat.run.cancelled publish")
    assert fact.trace == caller.trace
    await traced.processes["inference"].start()
    await traced.until_ready()


@pytest.mark.parametrize(
    ("service", "metric", "hop"),
    [
        ("studio-inference", "studio.time_to_first_token", "worker"),
        ("studio-edge", "studio.time_to_first_token", "edge"),
        ("studio-inference", "studio.token_age", "stored"),
        ("studio-edge", "studio.token_age", "edge"),
        ("studio-edge", "studio.token_age", "sent"),
    ],
)
async def test_every_hop_of_a_token_is_measured(
    traced: Stack, collector: Collector, service: str, metric: str, hop: str
) -> None:
    def measured() -> bool:
        return any((s, m, a.get("hop")) == (service, metric, hop) for s, m, a in list(collector.points))

    await collector.until(measured, lambda: sorted({(s, m, a.get("hop", "")) for s, m, a in collector.points}))


async def test_the_dashboards_ask_for_nothing_but_what_arrives(traced: Stack, collector: Collector) -> None:
    async with traced.client() as http:
        await send(http, "Hello")
    await collector.until(lambda: not unanswered(collector.metrics), lambda: unanswered(collector.metrics))


async def test_every_metric_that_arrives_is_documented_and_the_other_way_round(
    traced: Stack, collector: Collector
) -> None:
    async with traced.client() as http:
        await send(http, "Hello")
    await collector.until(lambda: collector.metrics.keys() >= documented(), lambda: collector.metrics.keys())
    assert collector.metrics.keys() == documented()


async def test_what_is_measured_in_seconds_has_buckets_for_less_than_one(traced: Stack, collector: Collector) -> None:
    measured = {name for name, unit, kind in documented() if (unit, kind) == ("s", "histogram")}
    await collector.until(lambda: collector.bounds.keys() >= measured, lambda: collector.bounds.keys())
    for name in measured:
        assert len([bound for bound in collector.bounds[name] if 0 < bound < 1]) > 4, name


async def test_runs_are_counted_from_nought(traced: Stack, collector: Collector) -> None:
    """So that the increase of a counter shows the first one that fails. Here no run of an assistant has."""
    failed = "evt.architect.run.failed"
    await collector.until(lambda: failed in collector.sent, lambda: collector.sent)
    assert collector.sent[failed] == 0


async def test_a_receiver_that_is_away_harms_nothing(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings: dict[str, Any] = Collector().settings  # nobody listens there
    async with own_stack(servers, tmp_path_factory.mktemp("untraced"), settings=settings) as stack:
        async with stack.client() as http:
            told = await send(http, "Hello")
        codes = {name: await process.stop() for name, process in stack.processes.items()}
    assert told.types[-1] == "run.completed"
    assert codes == dict.fromkeys(stack.processes, 0)

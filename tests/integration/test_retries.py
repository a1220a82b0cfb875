"""A model that fails is asked again, then another one; an answer that breaks off is gone on with."""

from pathlib import Path

import httpx
import pytest

from tests.fixtures.events import Told, send
from tests.fixtures.model_server import ModelServer, running_model_server
from tests.fixtures.own_servers import own_stack
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Stack

WORDS = "one two three four five six seven eight"


def notices(told: Told) -> list[tuple[str, str]]:
    return [(e.data["code"], e.data["model"]) for e in told.events if e.type == "notice"]


def began(told: Told) -> list[tuple[int, str]]:
    return [(e.data["attempt"], e.data["model"]) for e in told.events if e.type == "generation.started"]


def assert_answered(told: Told, text: str) -> None:
    assert told.types[-2:] == ["generation.completed", "run.completed"]
    assert told.text() == told.one("generation.completed")["text"] == text


async def test_it_is_asked_again_before_its_first_word(stack: Stack, model_server: ModelServer) -> None:
    await model_server.fail(503, times=2)
    await model_server.reply(WORDS, model="gpt-4o")
    async with stack.client() as http:
        told = await send(http, "Count", model="mock")
    assert_answered(told, WORDS)
    assert notices(told) == [("retrying", "mock")] * 2
    assert began(told) == [(1, "mock")]
    assert not told.one("generation.completed")["usage"]["estimated"], "what was refused costs nothing"


async def test_the_providers_own_wish_to_wait_is_honoured(stack: Stack, model_server: ModelServer) -> None:
    await model_server.fail(429, retry_after=1)
    await model_server.reply(WORDS, model="gpt-4o")
    async with stack.client() as http:
        told = await send(http, "Count", model="mock")
    assert_answered(told, WORDS)
    notice = told.one("notice")
    assert notice["delay_ms"] == 1000
    first_word = next(e.data for e in told.events if e.type == "generation.delta")
    assert first_word["at"] - notice["at"] >= 1000


async def test_a_wish_beyond_all_patience_is_not_waited_for(stack: Stack, model_server: ModelServer) -> None:
    await model_server.fail(429, retry_after=3600)
    async with stack.client() as http:
        told = await send(http, "Count", model="mock")
    assert told.one("generation.failed")["error"]["code"] == "provider_rate_limited"
    assert not notices(told)


async def test_what_cannot_succeed_is_not_repeated(stack: Stack, model_server: ModelServer) -> None:
    await model_server.fail(401)
    async with stack.client() as http:
        told = await send(http, "Count", model="mock")
    assert told.one("generation.failed")["error"]["code"] == "provider_auth"
    assert len(await model_server.requests()) == 1


@pytest.mark.parametrize(("model", "repeated"), [("unreachable", 3), ("mock", 0)])
async def test_then_its_fallbacks_are_asked(stack: Stack, model_server: ModelServer, model: str, repeated: int) -> None:
    await model_server.fail(400)
    async with stack.client() as http:
        told = await send(http, "Hello", model=model, fallbacks=["unreachable", "demo-swift", "demo-sage"])
        run = (await http.get(f"/v1/runs/{told.run_id}")).json()
        stored = (await http.get(f"/v1/conversations/{run['conversation_id']}/messages")).json()["items"]
    assert told.types[-1] == "run.completed"
    assert [told_ for told_ in notices(told) if told_[0] == "fallback"][-1] == ("fallback", "demo-swift")
    assert notices(told).count(("retrying", model)) >= repeated
    assert began(told)[-1] == (1, "demo-swift")
    assert told.one("generation.completed")["model"] == stored[1]["model"] == "demo-swift"


async def test_a_model_that_never_begins_makes_room_for_its_fallback(stack: Stack, model_server: ModelServer) -> None:
    await model_server.slow_first_token(60)
    async with stack.client() as http:
        told = await send(http, "Hello", model="mock", fallbacks=["demo-swift"], timeouts={"first_token_seconds": 3.0})
    assert told.types[-1] == "run.completed"
    assert notices(told) == [("fallback", "demo-swift")]


async def test_the_time_for_all_of_it_is_not_given_twice(stack: Stack, model_server: ModelServer) -> None:
    await model_server.fail(503, retry_after=20)
    async with stack.client() as http:
        told = await send(http, "Hello", model="mock", fallbacks=["demo-swift"], timeouts={"total_seconds": 0.5})
    assert told.one("generation.failed")["error"]["code"] == "total_timeout"


@pytest.mark.parametrize("fault", ["disconnect", "truncate"])
async def test_a_model_that_can_only_begin_again_does(stack: Stack, model_server: ModelServer, fault: str) -> None:
    await model_server.reply(WORDS, model="gpt-4o", times=2)
    await model_server.break_stream(fault, after_chunks=4)  # type: ignore[arg-type]
    async with stack.client() as http:
        told = await send(http, "Count", model="mock")
    assert_answered(told, WORDS)
    assert told.types.count("generation.restarted") == 1
    assert began(told) == [(1, "mock"), (2, "mock")]
    usage = told.one("generation.completed")["usage"]
    assert usage["estimated"], "the words that were dropped were paid for too"


async def test_a_model_that_can_goes_on_where_it_stopped(stack: Stack) -> None:
    async with stack.client() as http:
        told = await send(http, "fail with 503 after 7 tokens", model="demo-flaky")
    assert_answered(told, told.text())
    assert told.text().endswith("this is the end of my answer.")
    assert told.one("generation.resumed")["mode"] == "prefill"
    assert "generation.restarted" not in told.types


async def test_an_answer_that_breaks_off_for_ever_ends_with_what_there_is(stack: Stack) -> None:
    async with stack.client() as http:
        told = await send(http, "fail every 3 tokens", model="demo-flaky")
    assert told.types[-2:] == ["generation.failed", "run.failed"]
    assert told.types.count("generation.resumed") == 3
    assert len(told.text().split()) == 12
    assert told.one("generation.failed")["text"] == told.text()


async def test_a_stop_is_heard_while_a_repetition_is_waited_for(stack: Stack, model_server: ModelServer) -> None:
    await model_server.fail(503, retry_after=20)
    async with stack.client() as http:
        answer = await http.post("/v1/conversations/new/messages", json={"content": "Hello", "model": "mock"})
        run_id = answer.json()["run_id"]
        await until(model_server.requests)
        run = (await http.post(f"/v1/runs/{run_id}/cancel")).json()

        async def ended() -> dict[str, object] | None:
            shown = (await http.get(f"/v1/runs/{run_id}")).json()
            return shown if shown["status"] != "running" else None

        run = await until(ended)
        assert run["status"] == "cancelled"
        stored = (await http.get(f"/v1/conversations/{run['conversation_id']}/messages")).json()["items"]
    assert stored[1]["cost_usd"] == "0", "nothing was answered"
    assert len(await model_server.requests()) == 1


async def test_a_dead_provider_is_left_alone_and_asked_again_later(servers: Servers, tmp_path: Path) -> None:
    settings = {
        "STUDIO_INFERENCE_BREAKER_FAILURES": "3",
        "STUDIO_INFERENCE_BREAKER_SECONDS": "2.2",
        "STUDIO_INFERENCE_RETRY_BASE_SECONDS": "1.2",  # the third wait, of 2.4 to 4.8 s, is longer than the breaker's
    }
    async with (
        running_model_server() as model,
        own_stack(servers, tmp_path, model, settings=settings) as stack,
        stack.client() as http,
    ):
        await model.fail(503, times=3)
        await model.reply(WORDS, model="gpt-4o", times=None)
        told = await send(http, "Count", model="mock")
        assert_answered(told, WORDS)  # the circuit opened, was waited for, and let one call through
        messages = [e.data["message"] for e in told.events if e.type == "notice"]
        assert any("again and again" in message for message in messages) or len(messages) == 3
        await model.fail(503, times=4)
        failed = await send(http, "Count", model="mock")
        assert failed.types[-1] == "run.failed"
        assert await circuit(http) == "open"
        asked = len(await model.requests())
        beside = await send(http, "Hello", model="mock", fallbacks=["demo-swift"], timeouts={"total_seconds": 0.9})
        assert len(await model.requests()) == asked, "it was not asked"
        assert beside.types[-1] in {"run.completed", "run.failed"}
        assert (await http.get("/readyz")).status_code == 200, "the rest of the product works"
        again = await send(http, "Count", model="mock")
        assert_answered(again, WORDS)
        assert await circuit(http) == "closed"


async def circuit(http: httpx.AsyncClient) -> str:
    return str((await http.get("/readyz")).json()["providers"]["mock"])

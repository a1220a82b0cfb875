"""Chat completions through OpenAI's own client."""

import asyncio
import json
from typing import Any

import pytest
from openai import APIError, AuthenticationError, BadRequestError, NotFoundError, OpenAI, RateLimitError

from tests.fixtures.raw_http import ask, request
from tests.fixtures.stack import Stack
from tests.fixtures.strangers import own, signed
from tests.integration.openai_sdk.clients import signed_in, user

TOOL: Any = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
ASK = user('call the tool weather with {"city": "Köln"}')


async def test_a_stream_and_a_whole_answer_say_the_same(stack: Stack) -> None:
    async with signed_in(stack) as (client, http):
        whole = await client.chat.completions.create(model="demo-sage", messages=user("Grüße 🌊"))
        stream = await client.chat.completions.create(
            model="demo-sage", messages=user("Grüße 🌊"), stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        told = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert told == whole.choices[0].message.content
        assert "“Grüße 🌊”" in told or "Grüße 🌊" in told
        assert chunks[0].choices[0].delta.role == "assistant"
        assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
        assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason == "stop"
        assert chunks[-1].choices == []
        assert chunks[-1].usage == whole.usage
        assert whole.usage is not None
        assert whole.usage.completion_tokens > 10
        assert whole.id.startswith("chatcmpl-")
        run = (await http.get(f"/v1/runs/chat_{whole.id.removeprefix('chatcmpl-')}")).json()
        assert (run["status"], run["text"]) == ("completed", told)
        assert (await http.get("/v1/conversations")).json()["items"] == [], "it belongs to no conversation"


async def test_the_wire_has_nothing_that_the_client_stumbles_over(stack: Stack) -> None:
    async with stack.client() as http:
        answer = await http.post(
            "/v1/chat/completions", json={"model": "demo-swift", "messages": user("Hi"), "stream": True}
        )
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-studio-run-id"].startswith("chat_")
        blocks = answer.text.split("\n\n")
        assert blocks[-2:] == ["data: [DONE]", ""]
        assert all(block.startswith("data: ") for block in blocks[:-1])


async def test_thinking_has_a_field_of_its_own(stack: Stack) -> None:
    async with signed_in(stack) as (client, _):
        stream = await client.chat.completions.create(model="demo-thinker", messages=user("Hi"), stream=True)
        deltas = [chunk.choices[0].delta.model_dump() async for chunk in stream]
        whole = await client.chat.completions.create(model="demo-thinker", messages=user("Hi"))
    thought = "".join(delta.get("reasoning_content") or "" for delta in deltas)
    assert thought.startswith("The user writes")
    assert whole.choices[0].message.model_dump()["reasoning_content"] == thought


async def test_a_tool_is_called_and_answered(stack: Stack) -> None:
    async with signed_in(stack) as (client, _):
        first = (await client.chat.completions.create(model="demo-swift", messages=ASK, tools=[TOOL])).choices[0]
        assert first.finish_reason == "tool_calls"
        assert first.message.tool_calls is not None
        (call,) = first.message.tool_calls
        assert call.type == "function"
        assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Köln"})
        result: Any = {"role": "tool", "tool_call_id": call.id, "content": "It rains."}
        second = await client.chat.completions.create(
            model="demo-swift", messages=[*ASK, first.message.model_dump(exclude_none=True), result], tools=[TOOL]
        )
        assert "weather answered" in str(second.choices[0].message.content)
        assert "It rains." in str(second.choices[0].message.content)


async def test_a_streamed_call_is_put_together_by_the_client(stack: Stack) -> None:
    async with (
        signed_in(stack) as (client, _),
        client.chat.completions.stream(model="demo-swift", messages=ASK, tools=[TOOL]) as stream,
    ):
        final = await stream.get_final_completion()
    (call,) = final.choices[0].message.tool_calls or []
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Köln"})
    assert final.choices[0].finish_reason == "tool_calls"


async def test_parameters_and_context_reach_the_model(stack: Stack) -> None:
    async with signed_in(stack) as (client, _):
        short = await client.chat.completions.create(model="demo-sage", messages=user("Hi"), max_completion_tokens=3)
        assert short.choices[0].finish_reason == "length"
        told = await client.chat.completions.create(
            model="demo-swift",
            messages=[
                {"role": "developer", "content": "Be a pirate."},
                {"role": "user", "content": "First"},
                {"role": "assistant", "content": "Aye."},
                {"role": "user", "content": [{"type": "text", "text": "Second"}]},
            ],
        )
    assert "My instructions begin with" in str(told.choices[0].message.content)
    assert "one earlier message" in str(told.choices[0].message.content)


async def test_errors_are_the_clients_own(stack: Stack) -> None:
    async with signed_in(stack) as (client, _):
        create = client.chat.completions.create
        with pytest.raises(NotFoundError) as unknown:
            await create(model="nobody/none", messages=user("Hi"), stream=True)
        assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
        with pytest.raises(BadRequestError) as twice:
            await create(model="demo-swift", messages=user("Hi"), n=2)
        assert (twice.value.type, twice.value.param) == ("invalid_request_error", "n")
        with pytest.raises(BadRequestError) as hot:
            await create(model="demo-swift", messages=user("Hi"), temperature=9)
        assert hot.value.param == "temperature"
        with pytest.raises(BadRequestError):
            await create(model="demo-swift", messages=user("\x00"))
        with pytest.raises(NotFoundError) as slashed:
            await client.models.retrieve("nobody/none")
        assert slashed.value.code == "model_not_found"
        with pytest.raises(AuthenticationError) as stranger:
            await client.with_options(api_key="a.b.c").chat.completions.create(model="demo-swift", messages=user("Hi"))
        assert stranger.value.code == "invalid_api_key"


async def test_what_is_wrong_before_the_body_is_read_is_told_in_the_same_shape(stack: Stack) -> None:
    headers = {"host": own(stack), "authorization": f"Bearer {signed()}", "content-type": "application/json"}
    for changed, status, code in (
        ({"content-length": str(10**12)}, 413, "request_too_large"),
        ({"content-length": "2", "content-type": "text/plain"}, 415, "unsupported_media_type"),
        ({"content-length": "2", "authorization": "Basic x"}, 401, "invalid_api_key"),
        ({"content-length": "2"}, 400, "malformed_json"),
    ):
        answer = await ask(stack.url, request("POST", "/v1/chat/completions", {**headers, **changed}, b"[}"))
        assert (answer.status, answer.json["error"]["code"]) == (status, code)
        assert set(answer.json) == {"error"}
    answer = await ask(stack.url, request("GET", "/v1/chat/completions", headers))
    assert (answer.status, answer.json["error"]["type"]) == (405, "invalid_request_error")


async def test_a_failure_is_raised_in_mid_stream_and_instead_of_an_answer(stack: Stack) -> None:
    question = user("fail with 401 after 5 tokens")
    async with signed_in(stack) as (client, _):
        stream = await client.chat.completions.create(model="demo-flaky", messages=question, stream=True)
        told: list[str] = []
        with pytest.raises(APIError) as broken:
            await _read(stream, told)
        assert "".join(told)
        assert broken.value.code == "provider_auth"
        with pytest.raises(APIError) as failed:
            await client.chat.completions.create(model="demo-flaky", messages=question)
        assert getattr(failed.value, "status_code", None) == 502
        with pytest.raises(RateLimitError):
            await client.chat.completions.create(model="demo-flaky", messages=user("fail with 429"))


async def test_the_client_that_does_not_wait_works_as_well(stack: Stack) -> None:
    def asked(token: str) -> str:
        with OpenAI(base_url=f"{stack.url}/v1", api_key=token) as client:
            assert "demo-swift" in {model.id for model in client.models.list()}
            assert client.models.retrieve("demo-swift").object == "model"
            chunks = client.chat.completions.create(model="demo-swift", messages=user("Hi"), stream=True)
            return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)

    assert "You said" in await asyncio.to_thread(asked, stack.token("sync"))


async def test_a_key_of_another_server_is_none_in_local_mode(stack: Stack) -> None:
    async with signed_in(stack) as (client, http):
        other = client.with_options(api_key="sk-proj-0123")
        assert (await other.chat.completions.create(model="demo-swift", messages=user("Hi"))).choices
        answer = await http.get("/v1/runs", headers={"authorization": "Bearer sk-proj-0123"})
        assert answer.status_code == 401, "only where OpenAI's clients call"


async def _read(stream: Any, told: list[str]) -> None:
    async for chunk in stream:
        told.append(chunk.choices[0].delta.content or "")


@pytest.mark.parametrize(
    "body",
    [
        '{"messages": [{"role": "user", "content": "\\ud800"}]}',
        '{"messages": [{"role": "user", "content": "Hi"}], "metadata": {"\\ud800": "x"}}',
        '{"messages": [{"role": "\\ud800", "content": "Hi"}]}',
        '{"messages": [{"role": "user", "content": "Hi"}], "response_format": {"type": "json_object", "x": "\\ud800"}}',
        '{"messages": [{"role": "user", "content": "Hi"}], "response_format": {"type": "json_object", "x": NaN}}',
        '{"messages": [{"role": "user", "content": "Hi"}], "seed": 1e999}',
        '{"messages": [{"role": "user", "content": "Hi"}], "model": "\\u0000"}',
        '{"messages": [{"role": "assistant", "tool_calls": [{"type": "function", "id": "\\ud800", "function": '
        '{"name": "f", "arguments": ""}}]}]}',
        "[]", "null", "5", '"x"', '{"messages": null}',
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_no_defect(stack: Stack, body: str) -> None:
    async with stack.client() as http:
        for path in ("/v1/chat/completions", "/v1/responses"):
            text = body.replace('"messages"', '"input"') if path.endswith("responses") else body
            answer = await http.post(path, content=text.encode(), headers={"content-type": "application/json"})
            assert answer.status_code in (200, 400, 404), (path, answer.text)
            assert answer.status_code == 200 or answer.json()["error"]["message"]

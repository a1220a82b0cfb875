"""Responses through OpenAI's own client."""

import json
from typing import Any

import pytest
from openai import APIError, AsyncOpenAI, BadRequestError, ConflictError, NotFoundError

from tests.fixtures.bus import purge_run
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Stack
from tests.integration.openai_sdk.clients import MARATHON, signed_in

TOOL: Any = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}
LABELS = {f"mine {number}": "yes" for number in range(16)}
"""As many as the protocol allows."""
TEXT = [
    "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
    "response.output_text.delta", "response.output_text.done", "response.content_part.done",
    "response.output_item.done", "response.completed",
]  # fmt: skip


async def told(client: AsyncOpenAI, response: str, after: int | None = None) -> list[dict[str, Any]]:
    """The events of a response that is kept."""
    more = {} if after is None else {"starting_after": after}
    stream = await client.responses.retrieve(response, stream=True, **more)
    return [event.model_dump() async for event in stream]


def kinds(events: list[dict[str, Any]]) -> list[str]:
    """Their types, with runs of deltas as one."""
    found: list[str] = []
    for event in events:
        if not found or found[-1] != event["type"] or not event["type"].endswith(".delta"):
            found.append(event["type"])
    return found


async def test_a_stream_and_a_whole_response_say_the_same(stack: Stack) -> None:
    async with signed_in(stack) as (client, _):
        stream = await client.responses.create(model="demo-sage", input="Grüße 🌊", stream=True)
        events = [event.model_dump() async for event in stream]
        assert kinds(events) == TEXT
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        whole = await client.responses.create(model="demo-sage", input="Grüße 🌊", instructions=None)
        deltas = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
        assert deltas == whole.output_text
        last = events[-1]["response"]
        assert last["output"][0]["content"][0]["text"] == deltas
        kept = await client.responses.retrieve(last["id"])
        assert kept.model_dump() == {**last, "output": kept.model_dump()["output"]}
        assert kept.output_text == deltas
        assert kept.model_dump()["output"] == last["output"]


async def test_the_clients_own_accumulation_ends_with_the_answer(stack: Stack) -> None:
    async with signed_in(stack) as (client, _):
        for summary in (None, "auto"):
            reasoning: Any = {"effort": "low", "summary": summary}
            async with client.responses.stream(model="demo-thinker", input="Hi", reasoning=reasoning) as stream:
                seen = [event.type async for event in stream]
                final = await stream.get_final_response()
            assert final.output_text.startswith("I thought about")
            assert [item.type for item in final.output] == ["reasoning", "message"]
            kind = "response.reasoning_summary_text.delta" if summary else "response.reasoning_text.delta"
            assert kind in seen
            assert final.usage is not None
            assert final.usage.output_tokens_details.reasoning_tokens > 0
            kept = await client.responses.retrieve(final.id)
            assert kept.output_text == final.output_text
            assert [item.id for item in kept.output] == [item.id for item in final.output]


async def test_from_any_event_on_it_is_told_exactly_the_rest(stack: Stack, servers: Servers) -> None:
    async with signed_in(stack) as (client, _):
        made = await client.responses.create(model="demo-thinker", input="Hi", background=True)
        assert made.status in ("queued", "in_progress")
        assert made.background is True
        whole = await told(client, made.id)
        assert kinds(whole)[:3] == ["response.created", "response.queued", "response.in_progress"]
        assert whole[-1]["type"] == "response.completed"
        for number in {0, 1, 2, len(whole) // 2, len(whole) - 2}:
            assert await told(client, made.id, number) == whole[number + 1 :]
        assert await told(client, made.id, -1) == whole
        assert await told(client, made.id, len(whole) + 5) == whole[-1:]
        await purge_run(servers, f"chat_{made.id.removeprefix('resp_')}")
        stored = await told(client, made.id)
        assert kinds(stored) == kinds(whole)
        assert stored[-1]["response"] == whole[-1]["response"]
        assert await told(client, made.id, len(whole) + 5) == stored[-1:]


async def test_a_stream_that_was_cut_is_gone_on_with_behind_its_last_event(stack: Stack) -> None:
    async with signed_in(stack) as (client, _):
        stream = await client.responses.create(
            model="demo-marathon", input="200 tokens at 100 tokens per second", background=True, stream=True
        )
        had: list[dict[str, Any]] = []
        async for event in stream:
            had.append(event.model_dump())
            if len(had) == 12:
                break
        await stream.close()
        response = had[0]["response"]["id"]
        while had[-1]["type"] != "response.completed":
            stream = await client.responses.retrieve(response, stream=True, starting_after=had[-1]["sequence_number"])
            count = 0
            async for event in stream:
                had.append(event.model_dump())
                count += 1
                if count == 30:
                    break
            await stream.close()
        assert [event["sequence_number"] for event in had] == list(range(len(had)))
        assert had == await told(client, response)
        assert "198 199 200" in had[-1]["response"]["output"][0]["content"][0]["text"]


async def test_a_response_follows_another(stack: Stack) -> None:
    async with signed_in(stack) as (client, _):
        first = await client.responses.create(model="demo-swift", input="First", instructions="Be a pirate.")
        second = await client.responses.create(model="demo-swift", input="Second", previous_response_id=first.id)
        assert second.previous_response_id == first.id
        assert "one earlier message" in second.output_text
        assert "My instructions" in first.output_text
        assert "My instructions" not in second.output_text, "those of the response before do not count"


async def test_a_tool_is_called_and_answered(stack: Stack) -> None:
    async with signed_in(stack) as (client, _):
        ask = 'call the tool weather with {"city": "Köln"}'
        stream = await client.responses.create(model="demo-swift", input=ask, tools=[TOOL], stream=True)
        events = [event async for event in stream]
        made: Any = events[-1].response  # type: ignore[union-attr]
        (call,) = [item for item in made.output if item.type == "function_call"]
        assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Köln"})
        output: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "It rains."}
        by_id = await client.responses.create(
            model="demo-swift", input=[output], tools=[TOOL], previous_response_id=made.id
        )
        items: Any = [{"role": "user", "content": ask}, *(item.model_dump() for item in made.output), output]
        by_items = await client.responses.create(model="demo-swift", input=items, tools=[TOOL])
        for answer in (by_id, by_items):
            assert "answered: “It rains.”" in answer.output_text or "It rains." in answer.output_text


async def test_in_the_background_it_is_stopped_by_its_id(stack: Stack) -> None:
    async with signed_in(stack) as (client, _):
        made = await client.responses.create(model="demo-marathon", input=MARATHON, background=True)
        with pytest.raises(ConflictError):
            await client.responses.delete(made.id)

        async def begun() -> bool:
            return (await client.responses.retrieve(made.id)).status == "in_progress"

        await until(begun)
        stopped = await client.responses.cancel(made.id)
        assert stopped.status == "cancelled"
        assert (await client.responses.cancel(made.id)).status == "cancelled"
        last = (await told(client, made.id))[-1]
        assert (last["type"], last["response"]["status"]) == ("response.incomplete", "cancelled")


async def test_what_was_asked_is_listed_and_deleted(stack: Stack) -> None:
    async with signed_in(stack) as (client, http):
        content: Any = [{"type": "input_text", "text": "One"}]
        made = await client.responses.create(
            model="demo-swift",
            input=[{"role": "user", "content": content}, {"role": "user", "content": "Two"}],
            instructions="Be brief.",
            metadata=LABELS,
            max_output_tokens=5,
            store=False,
        )
        assert (made.status, made.instructions, made.metadata) == ("incomplete", "Be brief.", LABELS)
        assert made.incomplete_details is not None
        assert made.incomplete_details.reason == "max_output_tokens"
        assert made.model_dump()["store"] is True, "everything is kept, and it says so"
        items = [item.model_dump() async for item in client.responses.input_items.list(made.id, limit=1, order="asc")]
        assert [item["content"][0]["text"] for item in items] == ["One", "Two"]
        with pytest.raises(BadRequestError):
            await client.responses.cancel(made.id)
        await client.responses.delete(made.id)
        with pytest.raises(NotFoundError):
            await client.responses.retrieve(made.id)
        assert (await http.get(f"/v1/runs/chat_{made.id.removeprefix('resp_')}")).status_code == 404


async def test_what_somebody_else_made_is_unknown(stack: Stack) -> None:
    async with signed_in(stack) as (mine, _), signed_in(stack) as (other, _):
        made = await mine.responses.create(model="demo-swift", input="Hi", background=True)
        unknown = f"resp_{'0' * 26}"
        seen = []
        for response in (made.id, unknown, "resp_*", "msg_1"):
            for call in (
                other.responses.retrieve(response),
                other.responses.retrieve(response, stream=True),
                other.responses.cancel(response),
                other.responses.delete(response),
                other.responses.input_items.list(response),
            ):
                with pytest.raises(NotFoundError) as refused:
                    await call
                seen.append(refused.value.body)
            with pytest.raises(BadRequestError) as before:
                await other.responses.create(model="demo-swift", input="Hi", previous_response_id=response)
            assert before.value.code == "previous_response_not_found"
        assert all(body == seen[0] for body in seen)


async def test_errors_are_the_clients_own(stack: Stack) -> None:
    async with signed_in(stack) as (client, _):
        create: Any = client.responses.create
        with pytest.raises(NotFoundError) as unknown:
            await create(model="none", input="Hi")
        assert unknown.value.code == "model_not_found"
        with pytest.raises(BadRequestError) as tool:
            await create(model="demo-swift", input="Hi", tools=[{"type": "web_search"}])
        assert tool.value.param == "tools[0].type"
        with pytest.raises(APIError) as failed:
            await create(model="demo-flaky", input="fail with 401 after 5 tokens")
        assert getattr(failed.value, "status_code", None) == 502
        stream = await create(model="demo-flaky", input="fail with 401 after 5 tokens", stream=True)
        events = [event async for event in stream]
        assert events[-1].type == "response.failed"
        assert events[-1].response.error.code == "server_error"
        assert (await client.responses.retrieve(events[-1].response.id)).status == "failed"

"""A message goes in over HTTP, and every token of the answer comes back through the log."""

from tests.fixtures.events import follow, send
from tests.fixtures.stack import Stack


async def test_an_answer_arrives_token_by_token_and_ends_once(stack: Stack) -> None:
    async with stack.client() as http:
        told = await send(http, "Say something to me", model="mock")
    assert told.types == [
        "run.created",
        "generation.started",
        "generation.delta",
        "generation.completed",
        "run.completed",
    ]
    assert len([event for event in told.events if event.type == "generation.delta"]) > 3
    assert told.text() == told.one("generation.completed")["text"]
    assert len({event.id for event in told.events}) == len(told.events)


async def test_a_second_turn_remembers_the_first_and_both_are_stored(stack: Stack) -> None:
    async with stack.client() as http:
        first = await send(http, "My name is Ada")
        conversation = first.one("run.created")["conversation_id"]
        second = await send(http, "What is my name?", conversation=conversation)
        page = (await http.get(f"/v1/conversations/{conversation}/messages")).json()
    assert "Ada" in second.text()
    assert [message["role"] for message in page["items"]] == ["user", "assistant", "user", "assistant"]
    assert page["items"][1]["content"] == first.text()
    assert page["items"][3]["content"] == second.text()
    assert page["items"][3]["run_id"] == second.run_id


async def test_a_watcher_after_the_end_gets_it_all_and_then_nothing(stack: Stack) -> None:
    async with stack.client() as http:
        told = await send(http, "Hello")
        late = await follow(http, f"/v1/runs/{told.run_id}/events")
        nothing = await follow(http, f"/v1/runs/{told.run_id}/events", after=told.events[-1].id)
    assert [event.data for event in late.events] == [event.data for event in told.events]
    assert nothing.status == 204

"""Tools and images on their way through a worker: to the model, into the lane, and into a second attempt."""

from typing import Any

from contracts import events
from contracts.content import Image, Tool, ToolResult, Turn
from contracts.generation import GenerateRequest, Parameters
from kit.bus.blobs import Blobs
from kit.bus.publish import publish
from kit.runlog.lane import RunKey
from kit.runlog.writers import LogWriters
from tests.fixtures.polling import until
from tests.integration.workers.alone import Alone, a_request, key_of

TOOLS = Parameters(tools=(Tool(name="weather", input_schema={"type": "object"}),))
CALL = 'call the tool weather with {"city": "Bern"}'
PICTURE = Turn(role="user", content="look", images=(Image(media_type="image/png", data="iVBORw0KGgo="),))


def request(prompt: str, **fields: Any) -> GenerateRequest:
    return a_request(prompt).model_copy(update={"model": "demo-swift", **fields})


async def told(alone: Alone, asked: GenerateRequest) -> list[events.Event]:
    """Everything in the lane when it has its ending."""
    key = key_of(asked)

    async def ended() -> list[events.Event] | None:
        lane = [event for _, event in await alone.reads.lane(key.lane("main")) if event is not None]
        return lane if lane and isinstance(lane[-1], events.GenerationEnding) else None

    found = await until(ended)
    assert found is not None
    return found


async def test_a_call_comes_into_the_lane_and_its_result_into_the_next_answer(alone: Alone) -> None:
    await alone.service.start()
    try:
        asked = request(CALL, parameters=TOOLS)
        await publish(alone.bus, asked)
        lane = await told(alone, asked)
        (call,) = [event for event in lane if isinstance(event, events.GenerationToolCall)]
        assert (call.name, call.arguments) == ("weather", '{"city": "Bern"}')
        ending = lane[-1]
        assert isinstance(ending, events.GenerationCompleted)
        assert ending.finish_reason == "tool_calls"
        assert ending.tool_calls == (events.ToolCall(call.call_id, call.name, call.arguments),)

        result = ToolResult(call_id=call.call_id, name="weather", output="rain")
        after = request(CALL, parameters=TOOLS)
        after = after.model_copy(update={"messages": (*after.messages, Turn(role="tool", results=(result,)))})
        await publish(alone.bus, after)
        ending = (await told(alone, after))[-1]
        assert isinstance(ending, events.GenerationCompleted)
        assert "The tool weather answered: “rain”." in (ending.text or "")
    finally:
        await alone.service.stop()


async def test_a_model_that_cannot_is_not_asked_but_a_fallback_that_can_is(alone: Alone) -> None:
    await alone.service.start()
    try:
        blind = request("", messages=(PICTURE,), model="demo-flaky")
        without = request(CALL, parameters=TOOLS, model="demo-flaky")
        seeing = request("", messages=(PICTURE,), model="demo-flaky", fallbacks=("demo-sage",))
        for asked in (blind, without, seeing):
            await publish(alone.bus, asked)
        for asked, code in ((blind, "vision_unsupported"), (without, "tools_unsupported")):
            ending = (await told(alone, asked))[-1]
            assert isinstance(ending, events.GenerationFailed)
            assert ending.error.code == code
            assert ending.usage is not None
            assert ending.usage.input_tokens == 0
        ending = (await told(alone, seeing))[-1]
        assert isinstance(ending, events.GenerationCompleted)
        assert ending.model == "demo-sage"
        assert "I see an image (image/png, 8 bytes)." in (ending.text or "")
    finally:
        await alone.service.stop()


async def test_an_answer_that_broke_off_after_its_calls_is_begun_again(alone: Alone) -> None:
    """Its calls cannot be told to the model without their results, and to go on without them would ask twice."""
    asked = request(CALL, parameters=TOOLS)
    await write_half(alone, key_of(asked))
    await publish(alone.bus, asked)
    await alone.service.start()
    try:
        lane = await told(alone, asked)
    finally:
        await alone.service.stop()
    assert sum(isinstance(event, events.GenerationRestarted) for event in lane) == 1
    ending = lane[-1]
    assert isinstance(ending, events.GenerationCompleted)
    assert [call.name for call in ending.tool_calls] == ["weather"]
    assert ending.tool_calls[0].call_id != "call_lost"
    assert (ending.text or "").startswith("I ask the tool weather.")


async def write_half(alone: Alone, key: RunKey) -> None:
    """What a worker leaves that dies after it wrote a call and before it wrote the ending."""
    writers = LogWriters(alone.bus, Blobs(alone.bus, 1))
    await writers.start()
    writer = writers.open(key, "main", attempt=1, last=0, fenced=lambda: None)
    writer.event(events.GenerationStarted(lane="main", at=1, attempt=1, model="demo-swift", provider="demo"))
    writer.text("generation.delta", "I ask the tool weather.")
    writer.event(
        events.GenerationToolCall(lane="main", at=2, call_id="call_lost", name="weather", arguments='{"city": "Bern"}')
    )
    await writer.stored()
    writers.close(writer)
    await writers.stop()

"""One behaviour, whatever the wire: every adapter against the same third-party mock."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from itertools import count

import pytest

from contracts.content import Image, Tool, ToolChoice, ToolResult, ToolUse, Turn
from services.inference.providers import responses
from services.inference.providers.base import Chunk, Finish, Provider, ProviderError, Reasoning, Text, ToolCall
from tests.clients.conftest import missing
from tests.clients.npm import NotInstalledError
from tests.fixtures.polling import until
from tests.integration.providers.adapters import ADAPTERS, AWS, Adapter
from tests.integration.providers.calls import Outcome, call, outcome
from tests.integration.providers.mock import KEY, MockProvider, mock_provider

SIXTY = "".join(f"{number} " for number in range(1, 61))
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WEATHER = Tool(
    name="weather",
    description="The weather now.",
    input_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
NEWS = Tool(name="news", input_schema={"type": "object", "properties": {}})

_marks = count(1)

pytestmark = pytest.mark.filterwarnings("ignore:FUNCTION_CALL is not a valid")  # the mock's own word, Google has none


@pytest.fixture(scope="module")
async def mock(pytestconfig: pytest.Config) -> AsyncIterator[MockProvider]:
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{text}", flush=True)

    try:
        async with mock_provider(say) as running:
            yield running
    except NotInstalledError as error:
        missing(f"the providers' mock cannot be installed: {error}")


@pytest.fixture(scope="module", params=ADAPTERS, ids=str)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    found: Adapter = request.param
    return found


@pytest.fixture(scope="module")
async def provider(adapter: Adapter, mock: MockProvider) -> AsyncIterator[Provider]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in AWS.items():
            patch.setenv(name, value)
        built = adapter.build(mock.url)
        yield built
        await built.close()


async def asked(provider: Provider, adapter: Adapter, prompt: str, **fields: object) -> Outcome:
    return await outcome(provider, call(prompt, model=adapter.model, **fields))


def marked(prompt: str) -> tuple[str, str]:
    """A prompt that no other test has, and its mark."""
    mark = f"mark-{next(_marks)}-end"
    return f"{prompt} {mark}", mark


async def test_every_word_arrives_and_the_end_says_why(provider: Provider, adapter: Adapter) -> None:
    result = await asked(provider, adapter, "count to sixty")
    assert result.error is None
    assert result.text == SIXTY
    assert result.finish.reason == "stop"
    assert result.reads > 1


async def test_usage_is_what_the_provider_says(provider: Provider, adapter: Adapter) -> None:
    usage = (await asked(provider, adapter, "count to sixty")).finish.usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (12, 60)  # the mock tells no details


async def test_thinking_comes_apart_from_the_answer(provider: Provider, adapter: Adapter) -> None:
    result = await asked(provider, adapter, "think first")
    thought = "".join(chunk.text for chunk in result.chunks if isinstance(chunk, Reasoning))
    assert (thought, result.text) == ("Six times seven is forty-two.", "Forty-two.")


@pytest.mark.parametrize(("prompt", "reason"), [("too long", "length"), ("something bad", "content_filter")])
async def test_an_answer_that_was_cut_off_says_so(
    provider: Provider, adapter: Adapter, prompt: str, reason: str
) -> None:
    if (adapter.name, reason) == ("responses", "content_filter"):
        pytest.skip("the mock cannot say it in this wire; tests/unit/inference/test_responses_answer.py can")
    assert (await asked(provider, adapter, prompt)).finish.reason == reason


async def test_tools_are_asked_for_with_whole_arguments(
    provider: Provider, adapter: Adapter, mock: MockProvider
) -> None:
    prompt, mark = marked("use a tool")
    result = await asked(
        provider, adapter, prompt, tools=(WEATHER, NEWS), tool_choice=ToolChoice(mode="function", name="weather")
    )
    asked_for = [chunk for chunk in result.chunks if isinstance(chunk, ToolCall)]
    assert [(one.name, one.arguments.replace(" ", "")) for one in asked_for] == [("weather", '{"city":"Bern"}')]
    assert result.finish.reason == "tool_calls"
    (seen,) = await mock.seen(mark)
    assert "The weather now." in seen.text
    assert '"required":["city"]' in seen.text.replace(" ", "")


async def test_several_calls_come_last_under_different_ids(provider: Provider, adapter: Adapter) -> None:
    result = await asked(provider, adapter, "use two tools", tools=(WEATHER, NEWS))
    assert result.text == "Let me see. "
    *_, first, second, finish = result.chunks
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert isinstance(finish, Finish)
    assert [(first.name, second.name), second.arguments] == [("weather", "news"), "{}"]
    assert first.call_id
    assert first.call_id != second.call_id


async def test_a_result_is_told_with_the_call_it_belongs_to(
    provider: Provider, adapter: Adapter, mock: MockProvider
) -> None:
    prompt, mark = marked("use a tool")
    used = ToolUse(call_id="call_weather", name="weather", arguments='{"city": "Bern"}')
    turns = (
        Turn(role="user", content=prompt),
        Turn(role="assistant", content="Let me see.", tool_calls=(used,)),
        Turn(role="tool", results=(ToolResult(call_id="call_weather", output="heavy rain"),)),
    )
    result = await asked(provider, adapter, "", turns=turns, tools=(WEATHER,))
    assert result.error is None
    assert result.text == "It rains in Bern."
    (seen,) = await mock.seen(mark)
    assert seen.text.count("call_weather") == 2
    assert "heavy rain" in seen.text


async def test_an_image_arrives_as_it_was_sent(provider: Provider, adapter: Adapter, mock: MockProvider) -> None:
    prompt, mark = marked("count to sixty")
    picture = Image(media_type="image/png", data=PNG)
    result = await asked(provider, adapter, "", turns=(Turn(role="user", content=prompt, images=(picture,)),))
    assert result.text == SIXTY
    (seen,) = await mock.seen(mark)
    sent = seen.text.replace("-", "+").replace("_", "/")  # Google's SDK uses the other alphabet, its API takes both
    assert PNG in sent
    assert "png" in sent.replace(PNG, "")


async def test_an_image_s_address_is_the_provider_s_to_fetch(
    provider: Provider, adapter: Adapter, mock: MockProvider
) -> None:
    prompt, mark = marked("count to sixty")
    picture = Image(url="https://example.com/a.png")
    result = await asked(provider, adapter, "", turns=(Turn(role="user", content=prompt, images=(picture,)),))
    seen = await mock.seen(mark)
    if adapter.name == "bedrock":
        assert result.error is not None
        assert (result.error.code, seen) == ("vision_unsupported", [])
    else:
        assert "https://example.com/a.png" in seen[0].text


async def test_instructions_and_history_arrive(provider: Provider, adapter: Adapter, mock: MockProvider) -> None:
    prompt, mark = marked("count to sixty")
    turns = (
        Turn(role="system", content="Be very brief."),
        Turn(role="user", content="My name is Ada."),
        Turn(role="assistant", content="Hello, Ada."),
        Turn(role="user", content=prompt),
    )
    assert (await asked(provider, adapter, "", turns=turns, temperature=0.5, max_tokens=99, top_p=0.5)).error is None
    (seen,) = await mock.seen(mark)
    places = [seen.text.index(text) for text in ("My name is Ada.", "Hello, Ada.", mark)]
    assert places == sorted(places)
    assert seen.text.count("Be very brief.") == 1
    for number in ("0.5", "99"):
        assert number in seen.text
    secrets = [value for name, value in seen.headers.items() if KEY in value]
    assert bool(secrets) == (adapter.name != "bedrock")  # that one signs
    assert KEY not in seen.url + seen.text


@pytest.mark.parametrize(
    ("prompt", "code", "retryable", "status", "retry_after"),
    [
        ("error 401", "provider_auth", False, 401, None),
        ("error 429", "provider_rate_limited", True, 429, 7.0),
        ("error 500", "provider_unavailable", True, 500, None),
        ("error 529", "provider_unavailable", True, 529, None),
    ],
)
async def test_refusals_are_told_apart_and_asked_once(
    provider: Provider,
    adapter: Adapter,
    mock: MockProvider,
    prompt: str,
    code: str,
    retryable: bool,
    status: int,
    retry_after: float | None,
) -> None:
    prompt, mark = marked(prompt)
    error = (await asked(provider, adapter, prompt)).error
    assert error is not None
    assert (error.code, error.retryable, error.status, error.retry_after) == (code, retryable, status, retry_after)
    assert KEY not in error.message
    assert "10.1.2.3" not in error.message
    assert len(await mock.seen(mark)) == 1


@pytest.mark.parametrize(
    ("prompt", "codes"),
    [
        ("malformed", {"provider_bad_response"}),
        ("truncated", {"provider_incomplete", "provider_unavailable"}),
        ("disconnect", {"provider_unavailable", "provider_incomplete"}),
    ],
)
async def test_a_broken_stream_is_an_error_after_what_came(
    provider: Provider, adapter: Adapter, prompt: str, codes: set[str]
) -> None:
    result = await asked(provider, adapter, prompt)
    assert result.error is not None
    assert result.error.code in codes
    assert not any(isinstance(chunk, Finish) for chunk in result.chunks)
    if prompt != "malformed":
        assert result.error.retryable
        assert SIXTY.startswith(result.text[: len(SIXTY)])
        assert result.text


async def test_nobody_is_held_up_by_a_slow_start(provider: Provider, adapter: Adapter) -> None:
    assert (await asked(provider, adapter, "too long")).error is None  # its SDK is there now
    gaps: list[float] = []
    ticking, began = asyncio.create_task(tick(gaps)), time.monotonic()
    await asyncio.sleep(0)  # it ticks before anything else happens
    try:
        result = await asked(provider, adapter, "slow start")
    finally:
        ticking.cancel()
    assert result.text == "At last."
    assert max(gaps) < (time.monotonic() - began) / 2, "the loop stood still while the model was silent"


async def tick(gaps: list[float]) -> None:
    """Count the moments at which the loop was free."""
    while True:
        began = time.monotonic()
        await asyncio.sleep(0.02)
        gaps.append(time.monotonic() - began)


@pytest.mark.parametrize("prompt", ["without end", "never begin"])
async def test_who_stops_listening_hangs_up(
    provider: Provider, adapter: Adapter, mock: MockProvider, prompt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mock would go on for a minute: that it lost the connection is our doing."""
    # An answer of the Responses API is listened to for so long, to learn the id by which it can be stopped.
    monkeypatch.setattr(responses, "STOP_SECONDS", 0.5)
    prompt, mark = marked(prompt)
    heard: list[Chunk] = []

    async def listen() -> None:
        async with contextlib.aclosing(provider.stream(call(prompt, model=adapter.model))) as stream:
            async for chunks in stream:
                heard.extend(chunk for chunk in chunks if isinstance(chunk, Text))

    async def begun() -> bool:
        return bool(heard) if prompt.startswith("without") else bool(await mock.seen(mark))

    listening = asyncio.create_task(listen())
    await until(begun)
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening
    await until(lambda: hung_up(mock, mark))


async def test_who_closes_between_two_words_hangs_up(provider: Provider, adapter: Adapter, mock: MockProvider) -> None:
    prompt, mark = marked("without end")
    stream = provider.stream(call(prompt, model=adapter.model))
    heard = ""
    async for chunks in stream:
        heard += "".join(chunk.text for chunk in chunks if isinstance(chunk, Text))
        if len(heard) > 10:
            break
    await stream.aclose()
    assert heard.startswith("1 2 3 ")
    await until(lambda: hung_up(mock, mark))


async def hung_up(mock: MockProvider, mark: str) -> bool:
    return any(seen.closed_at is not None for seen in await mock.seen(mark))


async def test_a_server_that_is_not_there_is_unavailable(adapter: Adapter) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in AWS.items():
            patch.setenv(name, value)
        lonely = adapter.build("http://127.0.0.1:9")
        try:
            error = (await asked(lonely, adapter, "hi")).error
        finally:
            await lonely.close()
    assert isinstance(error, ProviderError)
    assert (error.code, error.retryable) == ("provider_unavailable", True)
    assert "127.0.0.1" not in error.message

"""What the events of Anthropic, Google and Amazon mean. The SDKs' own types make them."""

from typing import Any

import pytest
from anthropic.types import RawMessageStreamEvent
from google.genai import types
from pydantic import TypeAdapter

from services.inference.providers.anthropic_answer import AnthropicAnswer
from services.inference.providers.base import Chunk, Finish, ProviderError, Reasoning, Text, ToolCall, Usage
from services.inference.providers.bedrock_answer import BedrockAnswer
from services.inference.providers.gemini_answer import GeminiAnswer
from services.inference.providers.growing_answer import GrowingAnswer

_anthropic = TypeAdapter[Any](RawMessageStreamEvent)


def claude(kind: str, **fields: Any) -> Any:
    return _anthropic.validate_python({"type": kind, **fields})


def start(**usage: int) -> Any:
    message = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "claude-x"}
    return claude("message_start", message={**message, "usage": {"output_tokens": 1, **usage}})


def delta(index: int = 0, **fields: Any) -> Any:
    return claude("content_block_delta", index=index, delta=fields)


def end(reason: str, **usage: Any) -> Any:
    return claude("message_delta", delta={"stop_reason": reason}, usage={"output_tokens": 9, **usage})


def gemini(*parts: dict[str, Any], finish: str | None = None, **fields: Any) -> Any:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finish_reason": finish}
    return types.GenerateContentResponse.model_validate({"candidates": [candidate], **fields})


def bedrock(name: str, **fields: Any) -> Any:
    return "event", name, fields


def told(answer: GrowingAnswer, *events: Any) -> list[Chunk]:
    return [chunk for event in events for chunk in answer.take(event)] + answer.finish()


def test_anthropic_s_input_is_told_without_the_cache_and_counted_with_it() -> None:
    chunks = told(
        AnthropicAnswer(),
        start(input_tokens=10, cache_read_input_tokens=100, cache_creation_input_tokens=7),
        delta(type="thinking_delta", thinking="Hm."),
        delta(type="signature_delta", signature="x"),
        delta(1, type="thinking_delta", thinking="So."),
        delta(2, type="text_delta", text="Yes.\x00"),
        end("end_turn", output_tokens_details={"thinking_tokens": 4}),
        claude("message_stop"),
    )
    usage = Usage(input_tokens=117, output_tokens=9, reasoning_tokens=4, cached_input_tokens=100)
    assert chunks == [Reasoning("Hm."), Reasoning("\n\nSo."), Text("Yes."), Finish("stop", usage)]


def test_anthropic_s_calls_come_in_pieces_and_go_out_whole() -> None:
    def begin(index: int, call_id: str, name: str) -> Any:
        block = {"type": "tool_use", "id": call_id, "name": name, "input": {}, "caller": {"type": "direct"}}
        return claude("content_block_start", index=index, content_block=block)

    chunks = told(
        AnthropicAnswer(),
        start(input_tokens=1),
        begin(1, "toolu_1", "weather"),
        delta(1, type="input_json_delta", partial_json=""),
        delta(1, type="input_json_delta", partial_json='{"city": '),
        delta(1, type="input_json_delta", partial_json='"Bern"}'),
        begin(2, "toolu_2", "news"),
        end("tool_use"),
    )
    assert chunks[:-1] == [ToolCall("toolu_1", "weather", '{"city": "Bern"}'), ToolCall("toolu_2", "news", "{}")]
    assert isinstance(chunks[-1], Finish)
    assert chunks[-1].reason == "tool_calls"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("pause_turn", "stop"),
    ],
)
def test_anthropic_s_reasons(said: str, reason: str) -> None:
    (finish,) = told(AnthropicAnswer(), start(input_tokens=1), end(said))
    assert isinstance(finish, Finish)
    assert finish.reason == reason


def test_blanks_of_the_beginning_are_not_said_twice() -> None:
    for pieces, said in ((["\n", " two"], "two"), ([" two"], " two"), (["\n two"], "two"), (["two"], "two")):
        answer = AnthropicAnswer(blanks="\n ")
        chunks = told(answer, *(delta(type="text_delta", text=piece) for piece in pieces), end("end_turn"))
        assert "".join(chunk.text for chunk in chunks if isinstance(chunk, Text)) == said


def test_gemini_s_output_is_told_without_the_thoughts_and_counted_with_them() -> None:
    usage = {
        "prompt_token_count": 20,
        "cached_content_token_count": 8,
        "candidates_token_count": 5,
        "thoughts_token_count": 30,
        "tool_use_prompt_token_count": 2,
    }
    chunks = told(
        GeminiAnswer(),
        gemini({"text": "Hm.", "thought": True}),
        gemini({"text": "Yes"}, {"text": "."}),
        gemini({"text": "", "thought_signature": b"x"}, finish="STOP", usage_metadata=usage),
    )
    expected = Usage(input_tokens=22, output_tokens=35, reasoning_tokens=30, cached_input_tokens=8)
    assert chunks == [Reasoning("Hm."), Text("Yes"), Text("."), Finish("stop", expected)]


def test_gemini_s_calls_get_ids_of_their_own_where_it_gives_none() -> None:
    call = {"function_call": {"name": "weather", "args": {"city": "Bern"}}}
    named = {"function_call": {"id": "abc", "name": "news"}}
    first, second, third, finish = told(GeminiAnswer(), gemini(call, call, named, finish="STOP"))
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert first.arguments == second.arguments == '{"city":"Bern"}'
    assert first.call_id != second.call_id
    assert third == ToolCall("abc", "news", "{}")
    assert isinstance(finish, Finish)
    assert finish.reason == "tool_calls"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("SPII", "content_filter"),
    ],
)
def test_gemini_s_reasons(said: str, reason: str) -> None:
    *_, finish = told(GeminiAnswer(), gemini({"text": "I"}, finish=said))
    assert isinstance(finish, Finish)
    assert finish.reason == reason


@pytest.mark.parametrize("said", ["MALFORMED_FUNCTION_CALL", "OTHER", "MISSING_THOUGHT_SIGNATURE"])
def test_gemini_that_gave_up_has_failed(said: str) -> None:
    with pytest.raises(ProviderError) as caught:
        told(GeminiAnswer(), gemini({"text": "I"}, finish=said))
    assert (caught.value.code, caught.value.retryable) == ("provider_unavailable", True)


def test_a_question_that_gemini_does_not_take_is_filtered() -> None:
    blocked = types.GenerateContentResponse.model_validate({"prompt_feedback": {"block_reason": "SAFETY"}})
    with pytest.raises(ProviderError) as caught:
        told(GeminiAnswer(), blocked)
    assert (caught.value.code, caught.value.retryable) == ("content_filtered", False)


def test_bedrock_s_usage_comes_after_the_end() -> None:
    chunks = told(
        BedrockAnswer(),
        bedrock("messageStart", role="assistant"),
        bedrock("contentBlockDelta", contentBlockIndex=0, delta={"reasoningContent": {"text": "Hm."}}),
        bedrock("contentBlockDelta", contentBlockIndex=0, delta={"reasoningContent": {"signature": "x"}}),
        bedrock("contentBlockDelta", contentBlockIndex=1, delta={"text": "Yes."}),
        bedrock("contentBlockStart", contentBlockIndex=2, start={"toolUse": {"toolUseId": "t1", "name": "weather"}}),
        bedrock("contentBlockDelta", contentBlockIndex=2, delta={"toolUse": {"input": '{"city":"Bern"}'}}),
        bedrock("messageStop", stopReason="tool_use"),
        bedrock(
            "metadata",
            usage={"inputTokens": 10, "outputTokens": 9, "cacheReadInputTokens": 100, "cacheWriteInputTokens": 7},
        ),
    )
    usage = Usage(input_tokens=117, output_tokens=9, cached_input_tokens=100)
    call = ToolCall("t1", "weather", '{"city":"Bern"}')
    assert chunks == [Reasoning("Hm."), Text("Yes."), call, Finish("tool_calls", usage)]


@pytest.mark.parametrize(
    ("name", "code", "retryable"),
    [
        ("throttlingException", "provider_rate_limited", True),
        ("modelStreamErrorException", "provider_unavailable", True),
        ("internalServerException", "provider_unavailable", True),
        ("somethingNewException", "provider_unavailable", True),
        ("validationException", "provider_rejected", False),
        ("accessDeniedException", "provider_auth", False),
    ],
)
def test_bedrock_s_exceptions_in_the_middle(name: str, code: str, retryable: bool) -> None:
    with pytest.raises(ProviderError) as caught:
        BedrockAnswer().take(("exception", name, {"message": "at https://internal.example"}))
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    assert "internal.example" not in caught.value.message


@pytest.mark.parametrize(
    ("answer", "event"),
    [
        (AnthropicAnswer(), start(input_tokens=1)),
        (GeminiAnswer(), gemini({"text": "I"})),
        (BedrockAnswer(), bedrock("messageStart", role="assistant")),
    ],
    ids=["anthropic", "gemini", "bedrock"],
)
def test_a_stream_that_just_ends_is_no_answer(answer: GrowingAnswer, event: Any) -> None:
    with pytest.raises(ProviderError) as caught:
        answer.finish()
    assert caught.value.code == "provider_bad_response"
    answer.take(event)
    with pytest.raises(ProviderError) as caught:
        answer.finish()
    assert caught.value.code == "provider_incomplete"

import json
from typing import Any

import pytest

from services.inference.providers.base import Chunk, Finish, ProviderError, Reasoning, Text, ToolCall, Usage
from services.inference.providers.tool_calls import MAX_ARGUMENT_CHARACTERS
from services.inference.providers.wire import Answer


def data(*objects: Any) -> bytes:
    return b"".join(b"data: " + (o if isinstance(o, bytes) else json.dumps(o).encode()) + b"\n\n" for o in objects)


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def answer_to(*objects: Any) -> tuple[list[Chunk], Answer]:
    answer = Answer(secrets=("sk-very-secret",))
    return answer.feed(data(*objects)), answer


def test_text_usage_and_the_end() -> None:
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    chunks, answer = answer_to(
        delta(role="assistant", content=""),
        delta(content="Hello "),
        delta(content="wörld"),
        delta("stop"),
        {"choices": [], "usage": usage},
        b"[DONE]",
    )
    assert chunks == [Text("Hello "), Text("wörld")]
    assert answer.done
    assert answer.finish() == Finish("stop", Usage(10, 7, 3, 4))


def test_azure_prompt_filter_chunk_and_nulls_are_passed_over() -> None:
    chunks, answer = answer_to(
        {"choices": [], "prompt_filter_results": [{"x": 1}], "usage": None, "error": None},
        {"choices": [{"delta": None, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {"content": None, "tool_calls": None}, "finish_reason": ""}], "usage": None},
        {"choices": None},
        delta(content="x"),
        delta("stop"),
    )
    assert chunks == [Text("x")]
    assert answer.finish() == Finish("stop", None)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 12.0, "completion_tokens": -5}, Usage(12, 0)),
        ({"prompt_tokens": None, "prompt_tokens_details": None}, Usage()),
        ({"prompt_tokens": "many"}, None),
        ([], None),
        (None, None),
    ],
)
def test_odd_usage_costs_the_count_and_never_the_answer(usage: Any, expected: Usage | None) -> None:
    chunks, answer = answer_to({"choices": [], "usage": usage}, delta(content="x"), delta("stop"))
    assert chunks == [Text("x")]
    assert answer.finish() == Finish("stop", expected)


def test_the_last_usage_counts() -> None:
    running = [{**delta(content="x"), "usage": {"prompt_tokens": 1, "completion_tokens": n}} for n in (1, 2, 3)]
    assert answer_to(*running, delta("stop"))[1].finish().usage == Usage(1, 3)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_by_either_name(field: str) -> None:
    assert answer_to(delta(**{field: "hm"}))[0] == [Reasoning("hm")]


def test_reasoning_by_both_names_is_taken_once() -> None:
    assert answer_to(delta(reasoning="hm", reasoning_content="hm"))[0] == [Reasoning("hm")]


def test_a_refusal_is_text() -> None:
    assert answer_to(delta(refusal="No."))[0] == [Text("No.")]


def test_nul_characters_never_reach_the_log() -> None:
    assert answer_to(delta(content="a\x00b"))[0] == [Text("ab")]


def test_other_choices_are_not_mixed_in() -> None:
    assert answer_to({"choices": [{"index": 1, "delta": {"content": "other"}, "finish_reason": "stop"}]})[0] == []


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("model_length", "length"),
        ("something new", "stop"),
    ],
)
def test_finish_reasons(said: str, meant: str) -> None:
    assert answer_to(delta(said))[1].finish().reason == meant


def test_a_reason_that_means_failure_is_one() -> None:
    answer = answer_to(delta(content="x"), delta("insufficient_system_resource"))[1]
    assert answer.failure is not None
    assert answer.failure.retryable


def call(index: int | None = None, call_id: str | None = None, name: str | None = None, arguments: str = "") -> Any:
    fields: dict[str, Any] = {"function": {"name": name, "arguments": arguments}}
    return {**fields, **({} if index is None else {"index": index}), **({} if call_id is None else {"id": call_id})}


def test_tool_calls_are_put_together_from_interleaved_pieces() -> None:
    chunks, answer = answer_to(
        delta(tool_calls=[call(0, "a", "first", '{"x"')]),
        delta(tool_calls=[call(1, "b", "second", "{")]),
        delta(tool_calls=[call(0, arguments=": 1}"), call(1, arguments="}")]),
        delta("tool_calls"),
    )
    assert chunks == [ToolCall("a", "first", '{"x": 1}'), ToolCall("b", "second", "{}")]
    assert answer.finish().reason == "tool_calls"


def test_tool_calls_without_index_are_told_apart_by_id_and_stop_means_tool_calls() -> None:
    chunks, answer = answer_to(
        delta(tool_calls=[call(None, "a", "first", "{}")]),
        delta(tool_calls=[call(None, "b", "second", "{}")]),
        delta("stop"),
    )
    assert chunks == [ToolCall("a", "first", "{}"), ToolCall("b", "second", "{}")]
    assert answer.finish().reason == "tool_calls"


def test_a_repeated_id_is_the_same_call_and_a_missing_one_is_made() -> None:
    chunks, _ = answer_to(
        delta(tool_calls=[call(0, "a", "f", "{")]),
        delta(tool_calls=[call(0, "a", None, "}")]),
        delta(tool_calls=[call(1, None, "g", "{}")]),
        delta("tool_calls"),
    )
    assert chunks == [ToolCall("a", "f", "{}"), ToolCall("call_1", "g", "{}")]


def test_a_tool_call_that_was_cut_off_is_left_out() -> None:
    chunks, answer = answer_to(
        delta(tool_calls=[call(0, "a", "whole", "{}")]),
        delta(tool_calls=[call(1, "b", "cut", '{"x": ')]),
        delta("length"),
    )
    assert chunks == [ToolCall("a", "whole", "{}")]
    assert answer.finish().reason == "length"


def test_endless_tool_arguments_are_refused() -> None:
    answer = Answer()
    piece = data(delta(tool_calls=[call(0, "a", "f", "x" * (MAX_ARGUMENT_CHARACTERS // 4))]))
    for _ in range(5):
        answer.feed(piece)
    assert answer.failure is not None
    assert answer.failure.code == "provider_bad_response"


@pytest.mark.parametrize(
    "garbage",
    [
        b"{",
        b"[]",
        b"1",
        b"\xff\xfe",
        b'{"choices": 3}',
        b'{"choices": [{"delta": {"content": 5}}]}',
        b"<html>",
        b'{"error": ' + b"[" * 200_000,
        b'{"unknown": ' + b"[" * 200_000,
        b'"\\ud83d"',
    ],
)
def test_garbage_is_a_bad_response_and_what_came_before_is_kept(garbage: bytes) -> None:
    chunks, answer = answer_to(delta(content="kept"), garbage)
    assert chunks == [Text("kept")]
    assert answer.done
    assert answer.failure is not None
    assert (answer.failure.code, answer.failure.retryable) == ("provider_bad_response", True)


def test_after_the_end_nothing_can_fail_the_answer() -> None:
    for trouble in (b"{garbage", {"error": {"message": "late"}}):
        chunks, answer = answer_to(delta(content="all"), delta("stop"), trouble)
        assert chunks == [Text("all")]
        assert answer.failure is None
        assert answer.finish().reason == "stop"


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        ({"message": "overloaded", "type": "server_error"}, "provider_unavailable", True),
        ({"message": "slow down", "code": 429}, "provider_rate_limited", True),
        ({"message": "slow down", "code": "rate_limit_exceeded"}, "provider_rate_limited", True),
        ({"message": "pay", "type": "insufficient_quota"}, "provider_rate_limited", False),
        ({"message": "x", "code": "context_length_exceeded"}, "context_length_exceeded", False),
        ({"message": "filtered", "code": "content_filter"}, "content_filtered", False),
        ({"message": "wrong", "type": "invalid_request_error"}, "provider_rejected", False),
        ({"message": "who", "code": "invalid_api_key"}, "provider_auth", False),
        ("just words", "provider_unavailable", True),
        (["odd"], "provider_unavailable", True),
    ],
)
def test_error_objects_in_the_stream(error: Any, code: str, retryable: bool) -> None:
    chunks, answer = answer_to(delta(content="kept"), {"error": error}, delta(content="never"))
    assert chunks == [Text("kept")]
    assert answer.failure is not None
    assert (answer.failure.code, answer.failure.retryable) == (code, retryable)


def test_vllm_error_object_without_envelope() -> None:
    answer = answer_to({"object": "error", "message": "This model's maximum context length is 4096", "code": 400})[1]
    assert answer.failure is not None
    assert answer.failure.code == "context_length_exceeded"


def test_a_key_in_an_error_object_is_not_passed_on() -> None:
    answer = answer_to({"error": {"message": "the key sk-very-secret is odd"}})[1]
    assert "sk-very-secret" not in str(answer.failure)


def test_an_end_without_a_reason_is_incomplete() -> None:
    answer = answer_to(delta(content="half"), b"[DONE]")[1]
    with pytest.raises(ProviderError) as caught:
        answer.finish()
    assert (caught.value.code, caught.value.retryable) == ("provider_incomplete", True)

"""What a chat completion's body asks of chat, and what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from contracts.content import Image, Tool, ToolChoice, ToolResult, ToolUse, Turn
from contracts.generation import Parameters
from services.edge.openai.chat_body import ChatCompletionBody
from services.edge.openai.errors import Mistake

PIXEL = "iVBORw0KGgo="
USER = {"role": "user", "content": "Hi"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}, "strict": True}}


def body(*messages: Any, **fields: Any) -> ChatCompletionBody:
    return ChatCompletionBody.model_validate({"messages": list(messages) or [USER], **fields})


def test_every_role_becomes_a_turn() -> None:
    turns = body(
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Be"}, {"type": "text", "text": "kind."}]},
        {"role": "user", "content": "Hi", "name": "ada"},
        {"role": "assistant", "content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]},
        {"role": "assistant", "content": None, "refusal": "No."},
        USER,
    ).turns()
    assert turns == (
        Turn(role="system", content="Be brief."),
        Turn(role="system", content="Be\nkind."),
        Turn(role="user", content="Hi"),
        Turn(role="assistant", content="Hello"),
        Turn(role="assistant", content="No."),
        Turn(role="user", content="Hi"),
    )


def test_calls_and_their_results_hang_together() -> None:
    second = {**CALL, "id": "call_2"}
    turns = body(
        USER,
        {"role": "assistant", "content": None, "tool_calls": [CALL, second]},
        {"role": "tool", "tool_call_id": "call_2", "content": "rain"},
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "sun"}]},
        USER,
    ).turns()
    used = tuple(ToolUse(call_id=f"call_{number}", name="weather", arguments="{}") for number in (1, 2))
    results = (
        ToolResult(call_id="call_2", name="weather", output="rain"),
        ToolResult(call_id="call_1", name="weather", output="sun"),
    )
    assert turns[1:3] == (Turn(role="assistant", tool_calls=used), Turn(role="tool", results=results))


def test_pictures_come_by_address_or_inline() -> None:
    parts = [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": f"data:image/JPG;base64,{PIXEL}"}},
    ]
    assert body({"role": "user", "content": parts}).turns()[0].images == (
        Image(url="https://example.org/a.png"),
        Image(media_type="image/jpeg", data=PIXEL),
    )


def test_parameters_are_passed_on() -> None:
    wanted = body(
        temperature=0.5, top_p=0.9, max_tokens=5, max_completion_tokens=7, stop="END", seed=3, presence_penalty=1,
        frequency_penalty=-1, reasoning_effort="low", response_format={"type": "json_object"}, tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "weather"}}, parallel_tool_calls=False, n=1,
        logprobs=False, user="u", unheard_of={"x": 1},
    ).parameters()  # fmt: skip
    assert wanted == Parameters(
        temperature=0.5, top_p=0.9, max_tokens=7, stop=("END",), seed=3, presence_penalty=1, frequency_penalty=-1,
        reasoning_effort="low", response_format={"type": "json_object"},
        tools=(Tool(name="weather", input_schema={"type": "object"}, strict=True),),
        tool_choice=ToolChoice(mode="function", name="weather"), parallel_tool_calls=False,
    )  # fmt: skip
    assert body(stop=["a", "b"], tool_choice="none").parameters() == Parameters(
        stop=("a", "b"), tool_choice=ToolChoice(mode="none")
    )
    assert body().parameters() == Parameters()


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"n": 0}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"audio": {"voice": "alloy"}}, "audio"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"function_call": "auto"}, "function_call"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"response_format": {"type": "grammar"}}, "response_format"),
        ({"response_format": {}}, "response_format"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools[0].function.name"),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": []}}]},
            "tools[0].function.parameters",
        ),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "other"}}, "tools": [WEATHER]}, "tool_choice"),
        ({"tool_choice": {"type": "allowed_tools"}, "tools": [WEATHER]}, "tool_choice.type"),
    ],
    ids=str,
)
def test_what_is_not_supported_is_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Mistake) as refused:
        body(**fields).parameters()
    assert (refused.value.param, refused.value.problem.code) == (param, "invalid_request")


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"content": "Hi"}, "messages[0].role"),
        ({"role": "critic", "content": "Hi"}, "messages[0].role"),
        ({"role": "function", "content": "Hi"}, "messages[0].role"),
        ({"role": "user"}, "messages[0].content"),
        ({"role": "user", "content": 5}, "messages[0].content"),
        ({"role": "user", "content": ["Hi"]}, "messages[0].content[0]"),
        ({"role": "user", "content": [{"text": "Hi"}]}, "messages[0].content[0].type"),
        ({"role": "user", "content": [{"type": "text"}]}, "messages[0].content[0].text"),
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, "messages[0].content[0]"),
        ({"role": "user", "content": [{"type": "file", "file": {}}]}, "messages[0].content[0]"),
        ({"role": "user", "content": [{"type": "hologram"}]}, "messages[0].content[0]"),
        ({"role": "system", "content": [{"type": "image_url", "image_url": {"url": "https://a"}}]},
         "messages[0].content[0]"),
        ({"role": "user", "content": [{"type": "image_url", "image_url": "https://a"}]},
         "messages[0].content[0].image_url"),
        *(
            ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]},
             "messages[0].content[0].image_url.url")
            for url in (5, "http://a/b.png", "file:///etc/passwd", "data:image/svg+xml;base64,AA==",
                        "data:image/png;base64,%%%", "data:text/html;base64,AA==", "data:image/png,raw")
        ),
        ({"role": "tool", "content": "x"}, "messages[0].tool_call_id"),
        ({"role": "tool", "content": "x", "tool_call_id": "call_9"}, "messages[0].tool_call_id"),
        ({"role": "assistant", "tool_calls": {}}, "messages[0].tool_calls"),
        ({"role": "assistant", "tool_calls": [{"type": "function"}]}, "messages[0].tool_calls[0].function"),
        ({"role": "assistant", "tool_calls": [{**CALL, "id": ""}]}, "messages[0].tool_calls[0].id"),
        ({"role": "assistant", "tool_calls": [{**CALL, "id": 7}]}, "messages[0].tool_calls[0].id"),
        ({"role": "assistant", "function_call": {"name": "f"}}, "messages[0].function_call"),
    ],
    ids=str,
)  # fmt: skip
def test_a_message_that_is_none_is_refused_and_named(message: Any, param: str) -> None:
    with pytest.raises(Mistake) as refused:
        body(message).turns()
    assert refused.value.param == param
    assert len(refused.value.problem.message) < 300


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": []}, {"messages": "Hi"}, {"messages": ["Hi"]}, {"temperature": 3}, {"max_tokens": 0},
        {"stop": ["a"] * 5}, {"reasoning_effort": "much"}, {"metadata": {"k": "v" * 513}},
        {"metadata": {str(number): "v" for number in range(17)}}, {"tools": [WEATHER] * 129}, {"top_p": float("nan")},
    ],
    ids=lambda fields: next(iter(fields)),
)  # fmt: skip
def test_a_field_out_of_bounds_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        body(**fields)


def test_our_own_labels_cannot_be_written() -> None:
    assert body(metadata={"mine": "yes"}).labels() == {"mine": "yes"}
    with pytest.raises(Mistake):
        body(metadata={"studio.response": "{}"}).labels()

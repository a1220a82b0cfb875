"""One call in the words of OpenAI's two wires."""

import pytest

from contracts.content import Image, Tool, ToolChoice, ToolResult, ToolUse, Turn
from contracts.generation import Parameters
from services.inference.providers import chat_body, responses_body

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
PNG = Image(media_type="image/png", data="iVBORw0KGgo=")
TURNS = (
    Turn(role="system", content="Be brief."),
    Turn(role="user", content="look", images=(PNG, Image(url="https://example.com/a.jpg"))),
    Turn(
        role="assistant",
        content="Hm.",
        tool_calls=(
            ToolUse(call_id="1", name="weather", arguments='{"city": "Bern"}'),
            ToolUse(call_id="2", name="news", arguments="{}"),
        ),
    ),
    Turn(role="tool", results=(ToolResult(call_id="1", output="rain"), ToolResult(call_id="2", output="none"))),
    Turn(role="assistant", content="It rains."),
)
ALL = Parameters(
    temperature=0.2,
    top_p=0.9,
    max_tokens=5,
    stop=("END",),
    seed=0,
    presence_penalty=0.1,
    frequency_penalty=0.0,
    reasoning_effort="low",
    response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}},
    tools=(Tool(name="weather", description="Now.", input_schema=SCHEMA, strict=True), Tool(name="news")),
    tool_choice=ToolChoice(mode="function", name="weather"),
    parallel_tool_calls=False,
)


def test_turns_in_chat_completions() -> None:
    called = [
        {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}},
        {"id": "2", "type": "function", "function": {"name": "news", "arguments": "{}"}},
    ]
    assert chat_body.messages(TURNS) == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.jpg"}},
            ],
        },
        {"role": "assistant", "content": "Hm.", "tool_calls": called},
        {"role": "tool", "tool_call_id": "1", "content": "rain"},
        {"role": "tool", "tool_call_id": "2", "content": "none"},
        {"role": "assistant", "content": "It rains."},
    ]


def test_turns_in_responses() -> None:
    assert responses_body.items(TURNS) == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "look"},
                {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "auto"},
                {"type": "input_image", "image_url": "https://example.com/a.jpg", "detail": "auto"},
            ],
        },
        {"role": "assistant", "content": "Hm."},
        {"type": "function_call", "call_id": "1", "name": "weather", "arguments": '{"city": "Bern"}'},
        {"type": "function_call", "call_id": "2", "name": "news", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": "rain"},
        {"type": "function_call_output", "call_id": "2", "output": "none"},
        {"role": "assistant", "content": "It rains."},
    ]


def test_parameters_in_chat_completions() -> None:
    weather = {"name": "weather", "description": "Now.", "parameters": SCHEMA, "strict": True}
    assert chat_body.parameters(ALL, "max_completion_tokens") == {
        "temperature": 0.2,
        "top_p": 0.9,
        "max_completion_tokens": 5,
        "stop": ["END"],
        "seed": 0,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.0,
        "reasoning_effort": "low",
        "response_format": ALL.response_format,
        "tools": [{"type": "function", "function": weather}, {"type": "function", "function": {"name": "news"}}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "parallel_tool_calls": False,
    }


def test_parameters_in_responses() -> None:
    weather = {"type": "function", "name": "weather", "description": "Now.", "parameters": SCHEMA, "strict": True}
    assert responses_body.parameters(ALL) == {
        "temperature": 0.2,
        "top_p": 0.9,
        "max_output_tokens": 5,
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "object"}}},
        "tools": [weather, {"type": "function", "name": "news", "strict": False}],
        "tool_choice": {"type": "function", "name": "weather"},
        "parallel_tool_calls": False,
    }


def test_what_is_not_asked_for_is_not_sent() -> None:
    assert chat_body.parameters(Parameters(), "max_tokens") == {}
    assert responses_body.parameters(Parameters()) == {}
    lonely = Parameters(tool_choice=ToolChoice(mode="required"), parallel_tool_calls=True)
    assert chat_body.parameters(lonely, "max_tokens") == {}  # without tools these are refused
    assert responses_body.parameters(lonely) == {}


@pytest.mark.parametrize("mode", ["auto", "none", "required"])
def test_choices_without_a_name_are_words(mode: str) -> None:
    asked = Parameters(tools=(Tool(name="news"),), tool_choice=ToolChoice(mode=mode))  # type: ignore[arg-type]
    assert chat_body.parameters(asked, "max_tokens")["tool_choice"] == mode
    assert responses_body.parameters(asked)["tool_choice"] == mode


def test_an_image_that_chat_keeps_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="without its data"):
        chat_body.messages([Turn(role="user", images=(Image(attachment="a"),))])

"""One call in the words of Anthropic, Google and Amazon."""

from typing import Any

import pytest

from contracts.content import Image, Tool, ToolChoice, ToolResult, ToolUse, Turn
from contracts.generation import Parameters
from services.inference.providers import anthropic_body, bedrock_body, gemini_body
from services.inference.providers.base import ProviderCall, ProviderError
from services.inference.providers.turn_groups import blanks_of
from tests.unit.inference.test_call_bodies import ALL, PNG, SCHEMA, TURNS

ADAPTIVE = {"thinking": {"type": "adaptive", "display": "summarized"}}
BUDGET = {"thinking": {"type": "enabled", "budget_tokens": 2048}}
HI = (Turn(role="user", content="hi"),)
RESULT = (*HI, *TURNS[2:4])  # in the middle of a turn: the model has asked for tools


def call(turns: tuple[Turn, ...] = HI, extra: dict[str, Any] | None = None, **fields: Any) -> ProviderCall:
    return ProviderCall("claude-x", turns, Parameters(**fields), extra=extra or {}, max_output_tokens=64_000)


def test_turns_for_anthropic() -> None:
    assert anthropic_body.messages(TURNS) == [
        {
            "role": "user",
            "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG.data}},
                {"type": "image", "source": {"type": "url", "url": "https://example.com/a.jpg"}},
                {"type": "text", "text": "look"},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Hm."},
                {"type": "tool_use", "id": "1", "name": "weather", "input": {"city": "Bern"}},
                {"type": "tool_use", "id": "2", "name": "news", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "1", "content": "rain"},
                {"type": "tool_result", "tool_use_id": "2", "content": "none"},
            ],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "It rains."}]},
    ]


def test_parameters_for_anthropic() -> None:
    body = anthropic_body.body(ProviderCall("claude-x", TURNS, ALL))
    assert body | {"messages": None} == {
        "model": "claude-x",
        "max_tokens": 5,
        "messages": None,
        "system": "Be brief.",
        "temperature": 0.2,
        "top_p": 0.9,
        "stop_sequences": ["END"],
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
        "tools": [
            {"name": "weather", "description": "Now.", "input_schema": SCHEMA, "strict": True},
            {"name": "news", "input_schema": {"type": "object"}},
        ],
        "tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
    }


def test_a_limit_is_always_told_to_anthropic() -> None:
    assert anthropic_body.body(call())["max_tokens"] == 64_000
    assert anthropic_body.body(ProviderCall("m", HI))["max_tokens"] == anthropic_body.DEFAULT_MAX_TOKENS


@pytest.mark.parametrize(
    ("choice", "parallel", "told"),
    [
        (None, None, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice(mode="required"), None, {"type": "any"}),
        (ToolChoice(mode="none"), False, {"type": "none"}),
    ],
)
def test_choices_for_anthropic(choice: ToolChoice | None, parallel: bool | None, told: dict[str, Any] | None) -> None:
    asked = call(tools=(Tool(name="news"),), tool_choice=choice, parallel_tool_calls=parallel)
    assert anthropic_body.body(asked).get("tool_choice") == told


@pytest.mark.parametrize(
    ("extra", "effort", "turns", "told"),
    [
        (ADAPTIVE, None, HI, ADAPTIVE),
        (ADAPTIVE, "minimal", HI, {**ADAPTIVE, "output_config": {"effort": "low"}}),
        (ADAPTIVE, "xhigh", RESULT, {**ADAPTIVE, "output_config": {"effort": "xhigh"}}),
        (ADAPTIVE, "none", HI, {"thinking": {"type": "disabled"}}),
        (BUDGET, None, HI, BUDGET),
        (BUDGET, "medium", HI, {"thinking": {"type": "enabled", "budget_tokens": 8192}}),
        (BUDGET, "none", HI, {}),
        (BUDGET, None, RESULT, {}),  # the thoughts before the calls cannot be told again
        (BUDGET, None, (*HI, TURNS[4]), {}),  # nor can an answer be begun without them
        ({}, None, HI, {}),
    ],
)
def test_thinking_of_claude(extra: dict[str, Any], effort: Any, turns: tuple[Turn, ...], told: dict[str, Any]) -> None:
    asked = call(turns, extra, reasoning_effort=effort)
    for body in (anthropic_body.body(asked), bedrock_body.body(asked).get(bedrock_body.MORE, {})):
        assert {name: body[name] for name in ("thinking", "output_config") if name in body} == told


def test_thinking_leaves_half_of_a_small_answer() -> None:
    body = anthropic_body.body(call(extra=BUDGET, reasoning_effort="high", max_tokens=4096))
    assert body["thinking"]["budget_tokens"] == 2048
    assert "thinking" not in anthropic_body.body(call(extra=BUDGET, reasoning_effort="high", max_tokens=1500))


def test_the_beginning_of_an_answer_ends_without_blanks() -> None:
    begun = (*HI, Turn(role="assistant", content="One \n"))
    assert anthropic_body.messages(begun)[-1]["content"] == [{"type": "text", "text": "One"}]
    assert bedrock_body.messages(begun)[-1]["content"] == [{"text": "One"}]
    assert blanks_of(begun) == " \n"
    assert blanks_of(HI) == ""


def test_turns_of_one_side_are_told_in_one_piece_and_empty_ones_not_at_all() -> None:
    turns = (*HI, Turn(role="user", content=" "), Turn(role="user", content="you"), Turn(role="assistant"))
    assert anthropic_body.messages(turns) == [
        {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "text", "text": "you"}]}
    ]


def test_turns_for_gemini() -> None:
    contents = gemini_body.contents(TURNS)
    assert [content["role"] for content in contents] == ["user", "model", "user", "model"]
    data, address, text = contents[0]["parts"]
    assert data["inline_data"]["mime_type"] == "image/png"
    assert data["inline_data"]["data"].startswith(b"\x89PNG")
    assert address == {"file_data": {"file_uri": "https://example.com/a.jpg", "mime_type": "image/jpeg"}}
    assert text == {"text": "look"}
    assert contents[1]["parts"][1] == {
        "function_call": {"id": "1", "name": "weather", "args": {"city": "Bern"}},
        "thought_signature": b"skip_thought_signature_validator",
    }
    assert contents[2]["parts"][0] == {
        "function_response": {"id": "1", "name": "weather", "response": {"output": "rain"}}
    }


def test_parameters_for_gemini() -> None:
    config = gemini_body.config(ProviderCall("gemini-3.8-flash", TURNS, ALL, extra={"thinking_config": {"a": 1}}))
    assert config == {
        "system_instruction": "Be brief.",
        "temperature": 0.2,
        "top_p": 0.9,
        "max_output_tokens": 5,
        "stop_sequences": ["END"],
        "seed": 0,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.0,
        "thinking_config": {"a": 1, "thinking_level": "LOW"},
        "response_mime_type": "application/json",
        "response_json_schema": {"type": "object"},
        "automatic_continuation": False,
        "automatic_function_calling": {"disable": True},
        "tools": [
            {
                "function_declarations": [
                    {"name": "weather", "description": "Now.", "parameters_json_schema": SCHEMA},
                    {"name": "news"},
                ]
            }
        ],
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["weather"]}},
    }


@pytest.mark.parametrize(
    ("model", "effort", "told"),
    [
        ("gemini-2.5-flash", "low", {"thinking_budget": 1024}),
        ("gemini-2.5-flash", "none", {"thinking_budget": 0, "include_thoughts": False}),
        ("gemini-3.8-flash", "none", {"thinking_level": "MINIMAL"}),
        ("gemini-3.8-flash", "xhigh", {"thinking_level": "HIGH"}),
        ("gemini-3.8-flash", None, None),
    ],
)
def test_thinking_of_gemini(model: str, effort: Any, told: dict[str, Any] | None) -> None:
    asked = ProviderCall(model, HI, Parameters(reasoning_effort=effort))
    assert gemini_body.config(asked).get("thinking_config") == told


def test_a_failed_tool_says_so_in_every_wire() -> None:
    turns = (*RESULT[:2], Turn(role="tool", results=(ToolResult(call_id="1", output="no", failed=True),)))
    assert anthropic_body.messages(turns)[-1]["content"][0]["is_error"] is True
    assert bedrock_body.messages(turns)[-1]["content"][0]["toolResult"]["status"] == "error"
    assert gemini_body.contents(turns)[-1]["parts"][0]["function_response"]["response"] == {"error": "no"}


def test_arguments_that_are_no_object_are_not_lost() -> None:
    odd = Turn(role="assistant", tool_calls=(ToolUse(call_id="1", name="weather", arguments="[1]"),))
    worse = Turn(role="assistant", tool_calls=(ToolUse(call_id="2", name="weather", arguments="{"),))
    told = anthropic_body.messages((*HI, odd, worse))[-1]["content"]
    assert [block["input"] for block in told] == [{"arguments": [1]}, {"arguments": "{"}]


def test_data_that_is_none_is_refused_by_us() -> None:
    with pytest.raises(ProviderError, match="base64"):
        gemini_body.contents((Turn(role="user", images=(Image(media_type="image/png", data="%%%"),)),))


def test_a_call_for_bedrock() -> None:
    turns = (Turn(role="system", content="Be brief."), Turn(role="user", content="look", images=(PNG,)), *TURNS[2:4])
    assert bedrock_body.body(ProviderCall("nova", turns, ALL, extra={"top_k": 3})) == {
        "system": [{"text": "Be brief."}],
        "messages": [
            {
                "role": "user",
                "content": [{"image": {"format": "png", "source": {"bytes": PNG.data}}}, {"text": "look"}],
            },
            {
                "role": "assistant",
                "content": [
                    {"text": "Hm."},
                    {"toolUse": {"toolUseId": "1", "name": "weather", "input": {"city": "Bern"}}},
                    {"toolUse": {"toolUseId": "2", "name": "news", "input": {}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": "1", "content": [{"text": "rain"}]}},
                    {"toolResult": {"toolUseId": "2", "content": [{"text": "none"}]}},
                ],
            },
        ],
        "inferenceConfig": {"maxTokens": 5, "temperature": 0.2, "topP": 0.9, "stopSequences": ["END"]},
        "toolConfig": {
            "tools": [
                {"toolSpec": {"name": "weather", "description": "Now.", "inputSchema": {"json": SCHEMA}}},
                {"toolSpec": {"name": "news", "inputSchema": {"json": {"type": "object"}}}},
            ],
            "toolChoice": {"tool": {"name": "weather"}},
        },
        "additionalModelRequestFields": {"top_k": 3},
    }


@pytest.mark.parametrize(
    ("effort", "told"),
    [
        (None, {"type": "disabled"}),
        ("none", {"type": "disabled"}),
        ("xhigh", {"type": "enabled", "maxReasoningEffort": "high"}),
    ],
)
def test_thinking_of_nova(effort: Any, told: dict[str, Any]) -> None:
    asked = call(extra={"reasoningConfig": {"type": "disabled"}}, reasoning_effort=effort)
    assert bedrock_body.body(asked)[bedrock_body.MORE] == {"reasoningConfig": told}
    assert bedrock_body.MORE not in bedrock_body.body(call(reasoning_effort=effort))


def test_bedrock_cannot_forbid_tools_that_were_spoken_of() -> None:
    tools = (Tool(name="weather"),)
    none = ToolChoice(mode="none")
    assert "toolConfig" not in bedrock_body.body(call(tools=tools, tool_choice=none))
    assert "toolChoice" not in bedrock_body.body(call(RESULT, tools=tools, tool_choice=none))["toolConfig"]

"""What a response's body asks of chat, and what is refused."""

from typing import Any

import pytest

from contracts.content import Image, Tool, ToolChoice, ToolResult, ToolUse, Turn
from contracts.generation import Parameters
from services.edge.openai.asked import LABEL
from services.edge.openai.errors import Mistake
from services.edge.openai.formats import flat
from services.edge.openai.responses_body import ResponseBody

SCHEMA = {"type": "json_schema", "name": "answer", "schema": {"type": "object"}, "strict": True}
CALL = {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}", "id": "fc_1"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "rain"}


def body(input_: Any = "Hi", **fields: Any) -> ResponseBody:
    return ResponseBody.model_validate({"input": input_, **fields})


def test_a_text_is_what_the_user_says_behind_the_instructions() -> None:
    asked = body(instructions="Be brief.")
    assert asked.turns() == (Turn(role="system", content="Be brief."), Turn(role="user", content="Hi"))
    assert asked.labels() == {LABEL: '{"instructions": true}'}
    assert body().labels() == {}


def test_what_a_client_sends_back_of_earlier_output_becomes_the_same_turns() -> None:
    turns = body(
        [
            {"role": "user", "content": [
                {"type": "input_text", "text": "Look"},
                {"type": "input_image", "image_url": "https://example.org/a.png"},
            ]},
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
             "content": [{"type": "output_text", "text": "I ask.", "annotations": []}]},
            CALL,
            {**CALL, "call_id": "call_2"},
            OUTPUT,
            {**OUTPUT, "call_id": "call_2", "output": [{"type": "input_text", "text": "sun"}]},
            {"role": "developer", "content": "Be brief."},
        ]
    ).turns()  # fmt: skip
    used = tuple(ToolUse(call_id=f"call_{number}", name="weather", arguments="{}") for number in (1, 2))
    results = tuple(
        ToolResult(call_id=f"call_{number}", name="weather", output=output)
        for number, output in ((1, "rain"), (2, "sun"))
    )
    assert turns == (
        Turn(role="user", content="Look", images=(Image(url="https://example.org/a.png"),)),
        Turn(role="assistant", content="I ask.", tool_calls=used),
        Turn(role="tool", results=results),
        Turn(role="system", content="Be brief."),
    )


def test_words_between_calls_and_results_stay_with_the_calls() -> None:
    turns = body([CALL, {"role": "assistant", "content": "Wait."}, OUTPUT]).turns()
    assert [(turn.role, turn.content, len(turn.tool_calls)) for turn in turns] == [
        ("assistant", "Wait.", 1),
        ("tool", "", 0),
    ]


def test_a_result_may_belong_to_a_call_of_the_response_before() -> None:
    turns = body([OUTPUT], previous_response_id="resp_1").turns()
    assert turns == (Turn(role="tool", results=(ToolResult(call_id="call_1", output="rain"),)),)
    with pytest.raises(Mistake) as refused:
        body([OUTPUT]).turns()
    assert refused.value.param == "input[0].call_id"


def test_parameters_are_passed_on() -> None:
    wanted = body(
        temperature=0.5, top_p=0.9, max_output_tokens=5, reasoning={"effort": "high", "summary": "auto"},
        text={"format": SCHEMA, "verbosity": "low"}, parallel_tool_calls=True,
        tools=[{"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": True}],
        tool_choice={"type": "function", "name": "weather"}, include=["reasoning.encrypted_content"],
        truncation="auto", store=False, service_tier="auto",
    )  # fmt: skip
    assert wanted.parameters() == Parameters(
        temperature=0.5, top_p=0.9, max_tokens=5, reasoning_effort="high", parallel_tool_calls=True,
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
        },
        tools=(Tool(name="weather", input_schema={"type": "object"}, strict=True),),
        tool_choice=ToolChoice(mode="function", name="weather"),
    )  # fmt: skip
    assert flat(wanted.parameters().response_format) == SCHEMA
    assert '"summary": "auto"' in wanted.labels()[LABEL]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"type": "mcp", "server_url": "https://a"}]}, "tools[0].type"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"include": ["message.output_text.logprobs"]}, "include"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format"),
        ({"input": []}, "input"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"input": [{"type": "computer_call"}]}, "input[0].type"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
         "input[0].content[0].image_url"),
        ({"input": [{**CALL, "call_id": None}]}, "input[0].id"),
        ({"input": [{**CALL, "arguments": {}}]}, "input[0].arguments"),
        ({"metadata": {"studio.x": "1"}}, "metadata"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_supported_is_refused(fields: dict[str, Any], param: str) -> None:
    asked = ResponseBody.model_validate({"input": "Hi", **fields})
    with pytest.raises(Mistake) as refused:
        [read() for read in (asked.parameters, asked.labels, asked.turns)]
    assert refused.value.param == param

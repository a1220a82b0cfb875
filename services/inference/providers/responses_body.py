"""A call in the words of OpenAI's Responses API (platform.openai.com/docs/api-reference/responses/create).

It has no word for stop texts, a seed and penalties.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from contracts.content import Tool, ToolChoice, Turn
from contracts.generation import Parameters
from services.inference.providers.images import url_of


def items(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """The context. Each message is an item, the system's too (`easy_input_message_param.py`), each call and result."""
    return [item for turn in turns for item in _items(turn)]


def parameters(asked: Parameters) -> dict[str, Any]:
    """What is asked for; what is absent is left to the model."""
    fields: dict[str, Any] = {
        "temperature": asked.temperature,
        "top_p": asked.top_p,
        "max_output_tokens": asked.max_tokens,
        "reasoning": {"effort": asked.reasoning_effort} if asked.reasoning_effort else None,
        "text": {"format": _format(asked.response_format)} if asked.response_format else None,
    }
    if asked.tools:
        fields["tools"] = [_function(tool) for tool in asked.tools]
        fields["tool_choice"] = _choice(asked.tool_choice) if asked.tool_choice else None
        fields["parallel_tool_calls"] = asked.parallel_tool_calls
    return {name: value for name, value in fields.items() if value is not None}


def _items(turn: Turn) -> Iterator[dict[str, Any]]:
    if turn.role != "tool" and (turn.content or turn.images or not turn.tool_calls):
        yield {"role": turn.role, "content": _content(turn)}
    for call in turn.tool_calls:
        yield {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments}
    for result in turn.results:
        yield {"type": "function_call_output", "call_id": result.call_id, "output": result.output}


def _content(turn: Turn) -> str | list[dict[str, Any]]:
    if not turn.images:
        return turn.content
    parts: list[dict[str, Any]] = [{"type": "input_text", "text": turn.content}] if turn.content else []
    return parts + [{"type": "input_image", "image_url": url_of(image), "detail": "auto"} for image in turn.images]


def _function(tool: Tool) -> dict[str, Any]:
    fields = {"name": tool.name, "description": tool.description, "parameters": tool.input_schema or None}
    # Absent would mean true here, and refuse schemas that chat completions accept.
    known = {key: value for key, value in fields.items() if value is not None}
    return {"type": "function", **known, "strict": bool(tool.strict)}


def _choice(choice: ToolChoice) -> str | dict[str, Any]:
    return {"type": "function", "name": choice.name} if choice.mode == "function" else choice.mode


def _format(asked: dict[str, Any]) -> dict[str, Any]:
    """The format of chat completions has the schema one level deeper."""
    schema = asked.get("json_schema")
    return {**schema, "type": asked.get("type")} if isinstance(schema, dict) else asked

"""A call in the words of OpenAI's chat completions (platform.openai.com/docs/api-reference/chat/create)."""

from collections.abc import Iterator, Sequence
from typing import Any

from contracts.content import Tool, ToolChoice, ToolUse, Turn
from contracts.generation import Parameters
from services.inference.providers.images import url_of


def messages(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """The context. A turn with the results of several calls becomes several messages."""
    return [message for turn in turns for message in _messages(turn)]


def parameters(asked: Parameters, max_tokens_field: str) -> dict[str, Any]:
    """What is asked for; what is absent is left to the model."""
    fields: dict[str, Any] = {
        "temperature": asked.temperature,
        "top_p": asked.top_p,
        max_tokens_field: asked.max_tokens,
        "stop": list(asked.stop) or None,
        "seed": asked.seed,
        "presence_penalty": asked.presence_penalty,
        "frequency_penalty": asked.frequency_penalty,
        "reasoning_effort": asked.reasoning_effort,
        "response_format": asked.response_format,
    }
    if asked.tools:  # the other two are refused without
        fields["tools"] = [{"type": "function", "function": _function(tool)} for tool in asked.tools]
        fields["tool_choice"] = _choice(asked.tool_choice) if asked.tool_choice else None
        fields["parallel_tool_calls"] = asked.parallel_tool_calls
    return {name: value for name, value in fields.items() if value is not None}


def _messages(turn: Turn) -> Iterator[dict[str, Any]]:
    if turn.role == "tool":
        for result in turn.results:
            yield {"role": "tool", "tool_call_id": result.call_id, "content": result.output}
    elif turn.tool_calls:
        yield {
            "role": turn.role,
            "content": turn.content or None,
            "tool_calls": [_call(call) for call in turn.tool_calls],
        }
    else:
        yield {"role": turn.role, "content": _content(turn)}


def _content(turn: Turn) -> str | list[dict[str, Any]]:
    if not turn.images:
        return turn.content  # many compatible servers know no parts
    parts: list[dict[str, Any]] = [{"type": "text", "text": turn.content}] if turn.content else []
    return parts + [{"type": "image_url", "image_url": {"url": url_of(image)}} for image in turn.images]


def _call(call: ToolUse) -> dict[str, Any]:
    return {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _function(tool: Tool) -> dict[str, Any]:
    fields = {"name": tool.name, "description": tool.description, "parameters": tool.input_schema or None}
    return {key: value for key, value in {**fields, "strict": tool.strict}.items() if value is not None}


def _choice(choice: ToolChoice) -> str | dict[str, Any]:
    return {"type": "function", "function": {"name": choice.name}} if choice.mode == "function" else choice.mode

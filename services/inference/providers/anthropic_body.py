"""A call in the words of Anthropic's Messages API (anthropic 2.14, `types/message_create_params.py`).

It has no word for a seed and penalties, and none for JSON without a schema.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from contracts.content import Image, Tool, ToolChoice, Turn
from contracts.generation import Parameters
from services.inference.providers import claude
from services.inference.providers.base import ProviderCall
from services.inference.providers.turn_groups import arguments_of, sides, system_of

DEFAULT_MAX_TOKENS = 8192
"""The API insists on a limit; this one is for models whose card has none."""

MODES = {"auto": "auto", "none": "none", "required": "any", "function": "tool"}


def body(call: ProviderCall) -> dict[str, Any]:
    """The whole request."""
    asked = call.parameters
    limit = asked.max_tokens or call.max_output_tokens or DEFAULT_MAX_TOKENS
    fields: dict[str, Any] = {
        **call.extra,
        "model": call.model,
        "max_tokens": limit,
        "messages": messages(call.turns),
        "system": system_of(call.turns) or None,
        "temperature": asked.temperature if asked.temperature is None else min(asked.temperature, 1.0),
        "top_p": asked.top_p,
        "stop_sequences": [text for text in asked.stop if text.strip()] or None,  # blank ones are refused
        **claude.thinking(call, limit),
    }
    if schema := _schema(asked):
        fields["output_config"] = {**(fields.get("output_config") or {}), "format": schema}
    if asked.tools:
        fields["tools"] = [_tool(tool) for tool in asked.tools]
        fields["tool_choice"] = _choice(asked.tool_choice, asked.parallel_tool_calls)
    return {name: value for name, value in fields.items() if value is not None}


def messages(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """What was said, the instructions left out."""
    return sides(turns, _blocks)


def _blocks(turn: Turn) -> Iterator[dict[str, Any]]:
    for result in turn.results:  # first: so the API wants it
        told = {"type": "tool_result", "tool_use_id": result.call_id, "content": result.output}
        yield {**told, "is_error": True} if result.failed else told
    for image in turn.images:
        yield {"type": "image", "source": _source(image)}
    if turn.content.strip():  # a text of blanks is refused
        yield {"type": "text", "text": turn.content}
    for call in turn.tool_calls:
        yield {"type": "tool_use", "id": call.call_id, "name": call.name, "input": arguments_of(call)}


def _source(image: Image) -> dict[str, Any]:
    if image.url is not None:
        return {"type": "url", "url": image.url}
    return {"type": "base64", "media_type": image.media_type, "data": image.data}


def _tool(tool: Tool) -> dict[str, Any]:
    schema = {"type": "object", **tool.input_schema}
    fields = {"name": tool.name, "description": tool.description, "input_schema": schema, "strict": tool.strict}
    return {name: value for name, value in fields.items() if value is not None}


def _choice(choice: ToolChoice | None, parallel: bool | None) -> dict[str, Any] | None:
    if choice is None and parallel is not False:
        return None
    mode = choice.mode if choice else "auto"
    told: dict[str, Any] = {"type": MODES[mode]}
    if mode == "function" and choice is not None:
        told["name"] = choice.name
    if parallel is False and mode != "none":
        told["disable_parallel_tool_use"] = True
    return told


def _schema(asked: Parameters) -> dict[str, Any] | None:
    wanted = (asked.response_format or {}).get("json_schema")
    schema = wanted.get("schema") if isinstance(wanted, dict) else None
    return {"type": "json_schema", "schema": schema} if isinstance(schema, dict) else None

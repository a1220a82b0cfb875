"""Tools and formats in OpenAI's two dialects: chat completions nest what responses do not."""

from typing import Any

from contracts.content import Tool, ToolChoice


def nested(flat: dict[str, Any] | None) -> dict[str, Any] | None:
    """A response's `text.format` as chat completions' `response_format`."""
    if flat is None or flat.get("type") != "json_schema":
        return flat
    schema = {name: value for name, value in flat.items() if name != "type"}
    return {"type": "json_schema", "json_schema": schema}


def flat(nested: dict[str, Any] | None) -> dict[str, Any]:
    """The other way round; what was not said is text."""
    if nested is None:
        return {"type": "text"}
    if nested.get("type") != "json_schema":
        return nested
    return {"type": "json_schema", **nested.get("json_schema", {})}


def tool(told: Tool) -> dict[str, Any]:
    """A tool as a response repeats it."""
    return {
        "type": "function",
        "name": told.name,
        "description": told.description,
        "parameters": told.input_schema,
        "strict": told.strict,
    }


def choice(told: ToolChoice | None) -> Any:
    """A choice as a response repeats it."""
    if told is None:
        return "auto"
    return {"type": "function", "name": told.name} if told.mode == "function" else told.mode

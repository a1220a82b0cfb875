"""Tools as clients describe them: a list as OpenAI has it or flat, or an object by name as the AI SDK has it."""

from collections.abc import Iterable, Mapping
from typing import Any


def tools_of(value: Any) -> Any:
    """The tools in the contract's form; what is none of these is left for the validation to refuse."""
    if isinstance(value, Mapping):
        named: Iterable[Any] = ({**tool, "name": name} for name, tool in value.items() if isinstance(tool, Mapping))
        return [_tool(tool) for tool in named]
    return [_tool(tool) for tool in value] if isinstance(value, list) else value


def _tool(tool: Any) -> Any:
    if not isinstance(tool, Mapping):
        return tool
    inner = tool.get("function")
    tool = inner if isinstance(inner, Mapping) else tool
    schema: Any = next((tool[name] for name in ("inputSchema", "input_schema", "parameters") if name in tool), {})
    if isinstance(schema, Mapping) and isinstance(schema.get("jsonSchema"), Mapping):
        schema = schema["jsonSchema"]
    return {
        "name": tool.get("name"),
        "description": tool.get("description"),
        "strict": tool.get("strict"),
        "input_schema": schema,
    }


def tool_choice_of(value: Any) -> Any:
    """`auto`, `none`, `required`, or a tool by its name."""
    if isinstance(value, str):
        return {"mode": value}
    if not isinstance(value, Mapping) or "mode" in value:
        return value
    inner = value.get("function")
    name = value.get("toolName") or value.get("name") or (inner.get("name") if isinstance(inner, Mapping) else None)
    return {"mode": "function", "name": name} if name else {"mode": value.get("type")}

"""Tools in OpenAI's two dialects, which nest a function's fields or do not; and which of them must be called."""

from typing import Any

from contracts.content import Tool, ToolChoice
from services.edge.openai.errors import Mistake
from services.edge.openai.parts import fields, shown, string
from services.edge.openai.turns import MAX_ID


def function(value: dict[str, Any], where: str) -> Tool:
    """A tool from a function's fields. Raises Mistake."""
    schema, strict, description = value.get("parameters"), value.get("strict"), value.get("description")
    if schema is not None:
        fields(schema, f"{where}.parameters")
    if strict is not None and not isinstance(strict, bool):
        raise Mistake(f"{where}.strict", f"{where}.strict must be true or false.")
    if description is not None and not isinstance(description, str):
        raise Mistake(f"{where}.description", f"{where}.description must be a text.")
    name = string(value, "name", where, limit=MAX_ID)
    return Tool(name=name, description=description, input_schema=schema or {}, strict=strict)


def check_function(value: dict[str, Any], where: str) -> None:
    """Refuse a tool that is no function. Raises Mistake."""
    if value.get("type") != "function":
        kind = shown(value.get("type"))
        raise Mistake(f"{where}.type", f"{where}: tools of the type 'function' are supported, {kind} is not.")


def choice(value: str | dict[str, Any] | None, tools: tuple[Tool, ...]) -> ToolChoice | None:
    """Whether the model must call a tool; the name may be nested, as in chat completions. Raises Mistake."""
    if value is None:
        return None
    if isinstance(value, str):
        if value not in ("auto", "none", "required"):
            raise Mistake("tool_choice", f"tool_choice {shown(value)} is none of auto, none, required.")
        if value == "required" and not tools:
            raise Mistake("tool_choice", "tool_choice is 'required', but there are no tools.")
        return ToolChoice(mode=value)
    check_function(value, "tool_choice")
    named = value.get("function", value)
    name = string(fields(named, "tool_choice.function"), "name", "tool_choice", limit=MAX_ID)
    if name not in {tool.name for tool in tools}:
        raise Mistake("tool_choice", f"tool_choice names {shown(name)}, which is not among the tools.")
    return ToolChoice(mode="function", name=name)

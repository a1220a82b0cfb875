"""The body of POST /v1/responses, and what it asks of chat."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.content import Turn
from contracts.generation import Parameters
from services.edge.openai import formats, tools
from services.edge.openai.asked import Wishes
from services.edge.openai.body import MAX_TOKENS, Body, Effort
from services.edge.openai.errors import Mistake
from services.edge.openai.parts import fields, said, shown, string
from services.edge.openai.turns import MAX_ID, Turns, tool_use

_FORMATS = ("text", "json_object", "json_schema")
_LOGPROBS = "message.output_text.logprobs"


class Reasoning(BaseModel):
    """How much the model thinks, and whether that is told as a summary."""

    model_config = ConfigDict(extra="ignore")

    effort: Effort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class TextOptions(BaseModel):
    """What the answer looks like."""

    model_config = ConfigDict(extra="ignore")

    format: dict[str, Any] | None = None


class ResponseBody(Body):
    """A request for a response."""

    input: str | list[dict[str, Any]] = Field(description="a text, or items as OpenAI defines them")
    instructions: str | None = None
    previous_response_id: str | None = None
    background: bool | None = Field(None, description="goes on when nobody listens")
    store: bool | None = Field(None, description="taken, and changes nothing: every response is kept")
    max_output_tokens: int | None = Field(None, ge=1, le=MAX_TOKENS)
    reasoning: Reasoning | None = None
    text: TextOptions | None = None
    include: list[str] | None = Field(None, description="ignored, except for logprobs: those are refused")

    conversation: Any = Field(None, description="refused if asked for")
    prompt: Any = Field(None, description="refused if asked for")
    top_logprobs: int | None = Field(None, description="refused if asked for")

    def parameters(self) -> Parameters:
        """How the model is asked to answer. Raises Mistake."""
        self.refuse(
            conversation="conversation is not supported: send previous_response_id.",
            prompt="Stored prompts are not supported: send instructions and input.",
            top_logprobs="top_logprobs are not supported.",
        )
        if _LOGPROBS in (self.include or ()):
            raise Mistake("include", "logprobs are not supported.")
        offered = []
        for number, tool in enumerate(self.tools or ()):
            tools.check_function(tool, f"tools[{number}]")
            offered.append(tools.function(tool, f"tools[{number}]"))
        wanted = self.text.format if self.text else None
        if wanted is not None and wanted.get("type") not in _FORMATS:
            raise Mistake("text.format", f"text.format.type {shown(wanted.get('type'))} is none of {_FORMATS}.")
        return Parameters(
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=self.max_output_tokens,
            reasoning_effort=self.reasoning.effort if self.reasoning else None,
            response_format=formats.nested(wanted),
            tools=tuple(offered),
            tool_choice=tools.choice(self.tool_choice, tuple(offered)),
            parallel_tool_calls=self.parallel_tool_calls,
        )

    def labels(self) -> dict[str, str]:
        """The client's, and ours. Raises Mistake."""
        wishes = Wishes(
            background=bool(self.background),
            summary=self.reasoning.summary if self.reasoning else None,
            instructions=bool(self.instructions),
        )
        return {**super().labels(), **wishes.labels()}

    def turns(self) -> tuple[Turn, ...]:
        """The context that this request brings. Raises Mistake."""
        turns = Turns()
        if self.instructions:
            turns.say("system", self.instructions)
        if isinstance(self.input, str):
            turns.say("user", self.input)
        elif not self.input:
            raise Mistake("input", "input must not be empty.")
        else:
            for number, item in enumerate(self.input):
                _take(turns, item, f"input[{number}]", known=self.previous_response_id is None)
        return turns.all("input")


def _take(turns: Turns, item: dict[str, Any], where: str, *, known: bool) -> None:
    kind = item.get("type", "message")
    match kind:
        case "message":
            _message(turns, item, where)
        case "function_call":
            turns.call(tool_use(item.get("call_id"), item.get("name"), item.get("arguments"), where))
        case "function_call_output":
            call_id = string(item, "call_id", where, limit=MAX_ID)
            output = said(item.get("output"), f"{where}.output")[0]
            turns.result(call_id, output, f"{where}.call_id", known=known)
        case "reasoning":
            pass  # clients send back what they got; models do not take it
        case "item_reference":
            raise Mistake(where, f"{where}: references are not supported; send the item, or previous_response_id.")
        case _:
            raise Mistake(f"{where}.type", f"{where}: items of the type {shown(kind)} are not supported.")


def _message(turns: Turns, item: dict[str, Any], where: str) -> None:
    content, place = item.get("content"), f"{where}.content"
    if content is None:
        raise Mistake(place, f"{place} is missing.")
    role = string(fields(item, where), "role", where)
    match role:
        case "system" | "developer":
            turns.say("system", said(content, place)[0])
        case "user":
            turns.say("user", *said(content, place, images=True))
        case "assistant":
            turns.answer(said(content, place, between="")[0])
        case _:
            known = "user, assistant, system, developer"
            raise Mistake(f"{where}.role", f"{where}: the role {shown(role)} is none of {known}.")

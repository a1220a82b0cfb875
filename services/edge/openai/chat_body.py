"""The body of POST /v1/chat/completions, and what it asks of chat."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from contracts.content import Turn
from contracts.generation import Parameters
from services.edge.openai import tools
from services.edge.openai.body import MAX_TOKENS, Body, Effort
from services.edge.openai.errors import Mistake
from services.edge.openai.parts import fields, said, shown, string
from services.edge.openai.turns import MAX_ID, Turns, tool_use

MAX_STOPS = 4
_FORMATS = ("text", "json_object", "json_schema")


class StreamOptions(BaseModel):
    """What a stream is to carry beside the answer."""

    include_usage: bool | None = None


class ChatCompletionBody(Body):
    """A request for a chat completion."""

    messages: list[dict[str, Any]] = Field(min_length=1, description="as OpenAI defines them")
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1, le=MAX_TOKENS)
    max_completion_tokens: int | None = Field(None, ge=1, le=MAX_TOKENS)
    stop: str | Annotated[list[str], Field(max_length=MAX_STOPS)] | None = None
    seed: int | None = None
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    reasoning_effort: Effort | None = None
    response_format: dict[str, Any] | None = None

    n: int | None = Field(None, description="1: there is one answer")
    logprobs: bool | None = Field(None, description="refused if asked for")
    top_logprobs: int | None = Field(None, description="refused if asked for")
    logit_bias: dict[str, Any] | None = Field(None, description="refused if asked for")
    modalities: list[str] | None = Field(None, description="text only")
    audio: dict[str, Any] | None = Field(None, description="refused if asked for")
    functions: list[Any] | None = Field(None, description="refused: use tools")
    function_call: Any = Field(None, description="refused: use tool_choice")
    web_search_options: dict[str, Any] | None = Field(None, description="refused if asked for")

    def parameters(self) -> Parameters:
        """How the model is asked to answer. Raises Mistake."""
        if self.n not in (None, 1):
            raise Mistake("n", "n must be 1: there is one answer to a request. Send it again for another.")
        if self.modalities and self.modalities != ["text"]:
            raise Mistake("modalities", "modalities must be ['text']: nothing else is produced.")
        self.refuse(
            logprobs="logprobs are not supported.",
            top_logprobs="top_logprobs are not supported.",
            logit_bias="logit_bias is not supported.",
            audio="Audio is not supported.",
            functions="functions are not supported any more: send tools.",
            function_call="function_call is not supported any more: send tool_choice.",
        )
        if self.web_search_options is not None:
            raise Mistake("web_search_options", "There is no web search.")
        kind = None if self.response_format is None else self.response_format.get("type")
        if self.response_format is not None and kind not in _FORMATS:
            raise Mistake("response_format", f"response_format.type {shown(kind)} is none of {', '.join(_FORMATS)}.")
        offered = []
        for number, tool in enumerate(self.tools or ()):
            tools.check_function(tool, f"tools[{number}]")
            place = f"tools[{number}].function"
            offered.append(tools.function(fields(tool.get("function"), place), place))
        return Parameters(
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=self.max_completion_tokens or self.max_tokens,
            stop=(self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ()),
            seed=self.seed,
            presence_penalty=self.presence_penalty,
            frequency_penalty=self.frequency_penalty,
            reasoning_effort=self.reasoning_effort,
            response_format=self.response_format,
            tools=tuple(offered),
            tool_choice=tools.choice(self.tool_choice, tuple(offered)),
            parallel_tool_calls=self.parallel_tool_calls,
        )

    def turns(self) -> tuple[Turn, ...]:
        """The context. Raises Mistake."""
        turns = Turns()
        for number, message in enumerate(self.messages):
            _take(turns, message, f"messages[{number}]")
        return turns.all("messages")


def _take(turns: Turns, message: dict[str, Any], where: str) -> None:
    content, place = message.get("content"), f"{where}.content"
    role = string(message, "role", where)
    if content is None and role != "assistant":
        raise Mistake(place, f"{place} is missing.")
    match role:
        case "system" | "developer":
            turns.say("system", said(content, place)[0])
        case "user":
            turns.say("user", *said(content, place, images=True))
        case "assistant":
            _answer(turns, message, where)
        case "tool":
            call_id = string(message, "tool_call_id", where, limit=MAX_ID)
            turns.result(call_id, said(content, place)[0], f"{where}.tool_call_id", known=True)
        case _:
            known = "system, developer, user, assistant, tool"
            raise Mistake(f"{where}.role", f"{where}: the role {shown(role)} is none of {known}.")


def _answer(turns: Turns, message: dict[str, Any], where: str) -> None:
    for name in ("audio", "function_call"):
        if message.get(name) is not None:
            raise Mistake(f"{where}.{name}", f"{where}.{name} is not supported.")
    text = said(message.get("content"), f"{where}.content", between="")[0]
    refusal = message.get("refusal")
    calls = message.get("tool_calls")
    if calls is not None and not isinstance(calls, list):
        raise Mistake(f"{where}.tool_calls", f"{where}.tool_calls must be a list.")
    used = []
    for number, call in enumerate(calls or ()):
        place = f"{where}.tool_calls[{number}]"
        tools.check_function(fields(call, place), place)
        called = fields(call.get("function"), f"{place}.function")
        used.append(tool_use(call.get("id"), called.get("name"), called.get("arguments"), place))
    turns.answer(text or (refusal if isinstance(refusal, str) else ""), tuple(used))

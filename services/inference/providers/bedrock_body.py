"""A call in the words of Bedrock's Converse API (botocore 1.44, `bedrock-runtime`, operation ConverseStream).

It has no word for a seed, penalties and formats, and cannot fetch images; what one model family alone knows goes into
`additionalModelRequestFields`, which the catalogue's `options` fill.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from contracts.content import Tool, ToolChoice, Turn
from services.inference.providers import claude
from services.inference.providers.base import ProviderCall, ProviderError
from services.inference.providers.turn_groups import arguments_of, sides, system_of

DEFAULT_MAX_TOKENS = 8192  # for the thinking of models whose card has no limit
CHOICES: dict[str, dict[str, Any]] = {"auto": {"auto": {}}, "required": {"any": {}}}
MORE = "additionalModelRequestFields"


NOVA_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high"}


def path_of(model: str) -> str:
    """Where a model is asked; its name may be an ARN."""
    return f"/model/{quote(model, safe='-._~')}/converse-stream"


def body(call: ProviderCall) -> dict[str, Any]:
    """The whole request but the model, which is in the address. Raises ProviderError for an image's address."""
    asked = call.parameters
    limit = asked.max_tokens or call.max_output_tokens or DEFAULT_MAX_TOKENS
    inference = {
        "maxTokens": asked.max_tokens,
        "temperature": asked.temperature if asked.temperature is None else min(asked.temperature, 1.0),
        "topP": asked.top_p,
        "stopSequences": [text for text in asked.stop if text.strip()] or None,
    }
    more = dict(call.extra)
    if "thinking" in more:  # one of Anthropic's
        more = {name: value for name, value in {**more, **claude.thinking(call, limit)}.items() if value is not None}
    if asked.reasoning_effort and "reasoningConfig" in more:  # one of Amazon's
        more["reasoningConfig"] = _reasoning(asked.reasoning_effort)
    system = system_of(call.turns)
    fields: dict[str, Any] = {
        "messages": messages(call.turns),
        "system": [{"text": system}] if system else None,
        "inferenceConfig": {name: value for name, value in inference.items() if value is not None},
        "toolConfig": _tools(call),
        MORE: more,
    }
    return {name: value for name, value in fields.items() if value}


def messages(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """What was said, the instructions left out."""
    return sides(turns, _blocks)


def _blocks(turn: Turn) -> Iterator[dict[str, Any]]:
    for result in turn.results:
        told = {"toolUseId": result.call_id, "content": [{"text": result.output}]}
        yield {"toolResult": {**told, "status": "error"} if result.failed else told}
    for image in turn.images:
        if image.data is None or image.media_type is None:
            raise ProviderError(
                "vision_unsupported",
                "This model provider cannot fetch images from an address. Send the image itself.",
                retryable=False,
            )
        yield {"image": {"format": image.media_type.partition("/")[2], "source": {"bytes": image.data}}}
    if turn.content.strip():
        yield {"text": turn.content}
    for call in turn.tool_calls:
        yield {"toolUse": {"toolUseId": call.call_id, "name": call.name, "input": arguments_of(call)}}


def _reasoning(effort: str) -> dict[str, Any]:
    known = NOVA_EFFORTS.get(effort)
    return {"type": "enabled", "maxReasoningEffort": known} if known else {"type": "disabled"}


def _tools(call: ProviderCall) -> dict[str, Any] | None:
    """The tools. There is no way to forbid them; without any, calls that were made before are refused."""
    asked = call.parameters
    choice = asked.tool_choice or ToolChoice()
    spoken_of = any(turn.tool_calls or turn.results for turn in call.turns)
    if not asked.tools or (choice.mode == "none" and not spoken_of):
        return None
    told: dict[str, Any] = {"tools": [{"toolSpec": _specification(tool)} for tool in asked.tools]}
    if choice.mode == "function":
        told["toolChoice"] = {"tool": {"name": choice.name}}
    elif asked.tool_choice is not None and choice.mode in CHOICES:
        told["toolChoice"] = CHOICES[choice.mode]
    return told


def _specification(tool: Tool) -> dict[str, Any]:
    told: dict[str, Any] = {"name": tool.name, "inputSchema": {"json": {"type": "object", **tool.input_schema}}}
    return {**told, "description": tool.description} if tool.description else told

"""A call in the words of Google's Gemini API (google-genai 3.6, `types.GenerateContentConfig`).

Gemini 3 and newer insist on the signature of the thought behind each call of the current turn. Our log has no place
for signatures, so calls are told with the words that Google gives for calls that another model made
(ai.google.dev/gemini-api/docs/thought-signatures).
"""

import base64
import binascii
import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contracts.content import Image, Tool, ToolChoice, Turn
from contracts.generation import Parameters
from services.inference.providers.base import ProviderCall, ProviderError
from services.inference.providers.effort import budget
from services.inference.providers.turn_groups import arguments_of, groups, system_of, tool_names

NO_SIGNATURE = b"skip_thought_signature_validator"
ROLES = {"user": "user", "assistant": "model"}
MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "function": "ANY"}
LEVELS = {"none": "MINIMAL", "minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH", "xhigh": "HIGH"}
WITH_BUDGET = ("gemini-1", "gemini-2")
"""Generations whose thinking is measured in tokens; newer ones have levels."""


def contents(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """What was said, the instructions left out. Raises ProviderError for an image that is none."""
    names = tool_names(turns)
    found = [(side, [part for turn in said for part in _parts(turn, names)]) for side, said in groups(turns)]
    return [{"role": ROLES[side], "parts": parts} for side, parts in found if parts]


def config(call: ProviderCall) -> dict[str, Any]:
    """Everything else."""
    asked = call.parameters
    fields: dict[str, Any] = {
        **call.extra,
        "system_instruction": system_of(call.turns) or None,
        "temperature": asked.temperature,
        "top_p": asked.top_p,
        "max_output_tokens": asked.max_tokens,
        "stop_sequences": list(asked.stop) or None,
        "seed": asked.seed,
        "presence_penalty": asked.presence_penalty,
        "frequency_penalty": asked.frequency_penalty,
        "thinking_config": _thinking(call),
        **_format(asked),
        "automatic_continuation": False,  # one call is one request
        "automatic_function_calling": {"disable": True},
    }
    if asked.tools:
        fields["tools"] = [{"function_declarations": [_declaration(tool) for tool in asked.tools]}]
        if asked.tool_choice is not None:
            fields["tool_config"] = {"function_calling_config": _choice(asked.tool_choice)}
    return {name: value for name, value in fields.items() if value is not None}


def _parts(turn: Turn, names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for result in turn.results:
        name = result.name or names.get(result.call_id) or result.call_id
        answer = {"error" if result.failed else "output": result.output}
        yield {"function_response": {"id": result.call_id, "name": name, "response": answer}}
    for image in turn.images:
        yield _image(image)
    if turn.content:
        yield {"text": turn.content}
    for call in turn.tool_calls:
        function = {"id": call.call_id, "name": call.name, "args": arguments_of(call)}
        yield {"function_call": function, "thought_signature": NO_SIGNATURE}


def _image(image: Image) -> dict[str, Any]:
    if image.url is not None:
        guessed = mimetypes.guess_type(image.url.partition("?")[0])[0]
        return {"file_data": {"file_uri": image.url, "mime_type": image.media_type or guessed or "image/jpeg"}}
    return {"inline_data": {"data": decoded(image), "mime_type": image.media_type}}


def decoded(image: Image) -> bytes:
    """The file of an image. Raises ProviderError if it is no base64."""
    try:
        return base64.b64decode(image.data or "", validate=True)
    except binascii.Error:
        raise ProviderError(
            "provider_rejected", "An image could not be read: its data is not base64.", retryable=False
        ) from None


def _thinking(call: ProviderCall) -> dict[str, Any] | None:
    given = call.extra.get("thinking_config")
    told: dict[str, Any] = dict(given) if isinstance(given, dict) else {}
    effort = call.parameters.reasoning_effort
    if effort is not None:
        if not call.model.removeprefix("models/").startswith(WITH_BUDGET):
            told["thinking_level"] = LEVELS[effort]
        elif effort == "none":
            told |= {"thinking_budget": 0, "include_thoughts": False}
        else:
            told["thinking_budget"] = budget(call.parameters, None)
    return told or None


def _format(asked: Parameters) -> dict[str, Any]:
    wanted = asked.response_format or {}
    if wanted.get("type") not in ("json_object", "json_schema"):
        return {}
    told: dict[str, Any] = {"response_mime_type": "application/json"}
    schema = wanted.get("json_schema")
    if isinstance(schema, dict) and isinstance(schema.get("schema"), dict):
        told["response_json_schema"] = schema["schema"]
    return told


def _declaration(tool: Tool) -> dict[str, Any]:
    fields = {"name": tool.name, "description": tool.description, "parameters_json_schema": tool.input_schema or None}
    return {name: value for name, value in fields.items() if value is not None}


def _choice(choice: ToolChoice) -> dict[str, Any]:
    told: dict[str, Any] = {"mode": MODES[choice.mode]}
    return {**told, "allowed_function_names": [choice.name]} if choice.mode == "function" else told

"""What a client's message carries besides words: pictures, and what its tools answered."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from contracts.content import Image, ToolResult
from kit.refusal import Refused
from services.edge.aisdk.body import UiMessage

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w-]+=[^;,]*)*;base64,([A-Za-z0-9+/]*={0,2})", re.ASCII)

IMAGES = ("image/jpeg", "image/png", "image/webp", "image/gif")
DENIED = "The user did not allow this call."


def images_of(message: UiMessage) -> tuple[Image, ...]:
    """The pictures of a message. Raises Refused for any other file."""
    files = [part for part in message.all_parts if part.get("type") in ("file", "image")]
    return tuple(_image(file) for file in (*files, *(message.attachments or ())))


def _image(file: Mapping[str, Any]) -> Image:
    kind = file.get("mediaType") or file.get("mimeType") or file.get("contentType")
    where = file.get("url") or file.get("data") or file.get("image")
    if not isinstance(where, str):
        raise Refused("invalid_file", "A file has no url.")
    data: str | None = None
    if where.startswith("data:"):
        match = _DATA_URL.fullmatch(where)
        if match is None:
            raise Refused("invalid_file", "A file's data URL is not 'data:<type>;base64,<data>'.")
        kind, data = match.groups()
    elif ":" not in where:
        data = where
    kind = kind.partition(";")[0].strip().lower() if isinstance(kind, str) else None
    kind = "image/jpeg" if kind == "image/jpg" else kind
    if kind not in IMAGES and not (kind in (None, "image/*") and data is None):
        raise Refused("unsupported_file", f"Files of type {kind!r} cannot be sent, only {', '.join(IMAGES)}.")
    if data is None and not where.startswith("https:"):
        raise Refused("invalid_file", "A picture's url is neither https nor data.")
    if data is not None:
        return Image(media_type=kind, data=data)
    return Image(media_type=kind if kind in IMAGES else None, url=where)


def tool_results_of(message: UiMessage) -> tuple[ToolResult, ...]:
    """What the client's tools answered in the last step of an assistant's message."""
    results = [_of_part(part) for part in _last_step(message.all_parts)]
    if not any(results) and message.tool_invocations:
        results = [_of_invocation(invocation) for invocation in _newest(message.tool_invocations)]
    return tuple(result for result in results if result is not None)


def _last_step(parts: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Earlier steps were answered already."""
    step: list[Mapping[str, Any]] = []
    for part in parts:
        if part.get("type") == "step-start":
            step = []
        else:
            step.append(part)
    return step


def _newest(invocations: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    numbered = [(_step(invocation), invocation) for invocation in invocations]
    last = max(number for number, _ in numbered)
    return [invocation for number, invocation in numbered if number == last]


def _step(invocation: Mapping[str, Any]) -> int:
    step = invocation.get("step")
    return step if isinstance(step, int) else 0


def _of_part(part: Mapping[str, Any]) -> ToolResult | None:
    kind = str(part.get("type"))
    if kind == "tool-invocation" and isinstance(part.get("toolInvocation"), Mapping):
        return _of_invocation(part["toolInvocation"])
    if kind != "dynamic-tool" and not kind.startswith("tool-"):
        return None
    name = part.get("toolName") if kind == "dynamic-tool" else kind.removeprefix("tool-")
    match part.get("state"):
        case "output-available":
            return _result(part, name, part.get("output"))
        case "output-error":
            return _result(part, name, part.get("errorText"), failed=True)
        case "output-denied":
            return _result(part, name, DENIED, failed=True)
    return None


def _of_invocation(invocation: Mapping[str, Any]) -> ToolResult | None:
    if invocation.get("state") != "result":
        return None
    return _result(invocation, invocation.get("toolName"), invocation.get("result"))


def _result(part: Mapping[str, Any], name: object, output: object, *, failed: bool = False) -> ToolResult:
    text = output if isinstance(output, str) else msgspec.json.encode(output).decode()
    return ToolResult(
        call_id=str(part.get("toolCallId") or ""),
        name=name if isinstance(name, str) else None,
        output=text,
        failed=failed,
    )

"""What a response was asked, as the items that OpenAI's clients list."""

from collections.abc import Iterator
from typing import Any

from contracts.content import Image, Turn
from services.edge.openai import ids
from services.edge.openai.asked import Asked


def input_items(run_id: str, asked: Asked) -> list[dict[str, Any]]:
    """Oldest first, without the instructions and without what came before the request."""
    items = [item for turn in asked.turns for item in _items(turn)]
    kinds = {"message": "msg", "function_call": "fc", "function_call_output": "fco"}
    return [
        {"id": ids.input_item_id(kinds[item["type"]], run_id, number), **item}
        for number, item in enumerate(items, start=1)
    ]


def _items(turn: Turn) -> Iterator[dict[str, Any]]:
    if turn.content or turn.images or not (turn.tool_calls or turn.results):
        yield {"type": "message", "role": turn.role, "status": "completed", "content": _content(turn)}
    for call in turn.tool_calls:
        yield {
            "type": "function_call",
            "call_id": call.call_id,
            "name": call.name,
            "arguments": call.arguments,
            "status": "completed",
        }
    for result in turn.results:
        yield {
            "type": "function_call_output",
            "call_id": result.call_id,
            "output": result.output,
            "status": "completed",
        }


def _content(turn: Turn) -> list[dict[str, Any]]:
    if turn.role == "assistant":
        return [{"type": "output_text", "text": turn.content, "annotations": []}]
    text = [{"type": "input_text", "text": turn.content}] if turn.content or not turn.images else []
    return [*text, *(_image(image) for image in turn.images)]


def _image(image: Image) -> dict[str, Any]:
    url = image.url or (f"data:{image.media_type};base64,{image.data}" if image.data is not None else None)
    return {"type": "input_image", "detail": "auto", "image_url": url, "file_id": None}

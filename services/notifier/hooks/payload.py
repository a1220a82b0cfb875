"""The body of a call, in the shape of the Standard Webhooks convention. Pure: the same values are the same bytes."""

import json
from datetime import UTC, datetime
from typing import Any

from services.notifier.content import Answer, Content

_TOLD = {"run_id", "kind", "title", "outcome", "step", "error", "model", "duration_ms", "cost_usd"}
_IDS = {"conversation_id", "assistant_id"}


def payload(content: Content, *, link: str, at: datetime, max_characters: int) -> bytes:
    """What a webhook is sent of something that happened at a moment; texts have at most `max_characters` each.

    What is not known, or not to be told, is left out: in a blind comparison there is no `model`.
    """
    data: dict[str, Any] = content.model_dump(mode="json", include=_TOLD | _IDS, exclude_none=True)
    data["answers"] = [_answer(answer, max_characters) for answer in content.answers]
    if content.steps:
        data["steps"] = [step.model_dump(mode="json", exclude_none=True) for step in content.steps]
    if content.instructions is not None:
        data["instructions"] = content.instructions[:max_characters]
    return body(event_type(content), at, data | {"url": link})


def event_type(content: Content) -> str:
    """The type of an event, as a receiver tells them apart."""
    return "approval.requested" if content.occasion == "approval" else f"run.{content.outcome}"


def body(event: str, at: datetime, data: dict[str, Any]) -> bytes:
    """An event as it is sent and signed."""
    told = {"type": event, "timestamp": at.astimezone(UTC).isoformat().replace("+00:00", "Z"), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _answer(answer: Answer, max_characters: int) -> dict[str, Any]:
    told: dict[str, Any] = answer.model_dump(mode="json", exclude_none=True)
    if len(answer.text) > max_characters:
        told |= {"text": answer.text[:max_characters], "cut": True}
    return told

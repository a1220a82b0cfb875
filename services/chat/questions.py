"""What a user says, checked and ready to be stored."""

import hashlib
from dataclasses import dataclass
from typing import Any

from contracts.chat import ChatRequest, SendMessage
from contracts.content import ToolResult
from kit.orchestrate import wording
from kit.refusal import Refused
from kit.settings import ChatSettings
from services.chat import checks, images
from services.chat.begin_store import Attachment
from services.chat.context import Past, Said

_OF_EACH_TRY = {"run_id", "idempotency_key"}
_SAYS_NOTHING = {"notify"}
"""Left out where it is none: a request has the print that it had before there was such a thing."""


@dataclass(frozen=True, slots=True)
class Question:
    """A user's message."""

    content: str
    images: list[dict[str, Any]]
    attachments: list[Attachment]
    results: list[dict[str, Any]]

    def said(self, message_id: str) -> Said:
        """The message as part of a path."""
        return Said(
            message_id, "user", self.content, images=tuple(self.images), tool_results=tuple(self.results)
        )  # fmt: skip


def question(command: SendMessage, limits: ChatSettings) -> Question:
    """What is sent, or Refused."""
    shown, attachments = images.keep(
        command.images, max_count=limits.max_images, max_bytes=limits.max_image_bytes
    )  # fmt: skip
    results = _results(command.tool_results, limits.max_tool_result_characters)
    if results and (command.content or shown):
        raise Refused("invalid_message", "Results of tools are a message of their own, without text and images.")
    content = command.content
    if not results and (content or not shown):
        content = checks.check_content(content, limits.max_message_characters)
    if command.client_id is not None:
        wording.storable(command.client_id)
    return Question(content, images.stored(shown), attachments, results)


def _results(results: tuple[ToolResult, ...], limit: int) -> list[dict[str, Any]]:
    if len({result.call_id for result in results}) < len(results):
        raise Refused("invalid_message", "A call has two results.")
    if (length := sum(len(result.output) for result in results)) > limit:
        raise Refused("message_too_long", f"The results of tools have {length} characters; the limit is {limit}.")
    for result in results:
        for text in (result.call_id, result.name or "", result.output):
            wording.storable(text)
    return [result.model_dump(exclude_none=True) for result in results]


def check_results(asked: Question, past: Past) -> None:
    """Refused if there are results of calls that the message before does not ask for."""
    calls = {call["call_id"] for call in past.end.tool_calls} if past.end else set()
    for result in asked.results:
        if result["call_id"] not in calls:
            name = result["call_id"][: checks.QUOTED_CHARACTERS]
            raise Refused("unknown_tool_call", f"The message before does not ask for the tool call {name!r}.")


def same(asked: Question, message: Any) -> bool:
    """Whether a stored message says just this."""
    return (asked.content, asked.images or None, asked.results or None) == (
        message.content,
        message.images,
        message.tool_results,
    )  # fmt: skip


def fingerprint(command: ChatRequest, *, begins: bool) -> str:
    """Of everything that a request asks for. The id of a conversation that begins is new at each try."""
    left_out = _OF_EACH_TRY | ({"conversation_id"} if begins else set())
    left_out |= {name for name in _SAYS_NOTHING if getattr(command, name, None) is None}
    body = command.model_dump_json(exclude=left_out)
    return hashlib.sha256(body.encode()).hexdigest()

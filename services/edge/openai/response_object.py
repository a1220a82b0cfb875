"""OpenAI's Response object: of a run that goes on, of its ending, and of what is stored of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts import events
from contracts.chat_values import ChatMessage
from contracts.completions import Completion
from services.edge.openai import asked as asking
from services.edge.openai import formats, ids
from services.edge.openai.asked import Asked
from services.edge.openai.output import Output
from services.edge.openai.telling import Called, Piece, Said, Thought
from services.edge.openai.usage import Tokens, response_usage

_ERRORS = {
    "provider_rate_limited": "rate_limit_exceeded",
    "provider_rejected": "invalid_prompt",
    "context_length_exceeded": "invalid_prompt",
    "content_filtered": "invalid_prompt",
}
_OTHER_ERROR = "server_error"
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


@dataclass(frozen=True, slots=True)
class State:
    """How far a response is."""

    status: str
    output: list[dict[str, Any]] = field(default_factory=list)
    error: dict[str, str] | None = None
    incomplete: str | None = None
    usage: Tokens | None = None
    completed_at: int | None = None

    @property
    def item_status(self) -> str:
        """Of the item in which it ended."""
        return "completed" if self.status == "completed" else "incomplete"


def response(run_id: str, asked: Asked, model: str, created_at: int, state: State) -> dict[str, Any]:
    """The object. `created_at` in milliseconds."""
    parameters, wishes = asked.parameters, asked.wishes
    return {
        "id": ids.response_id(run_id),
        "object": "response",
        "created_at": created_at // 1000,
        "completed_at": state.completed_at // 1000 if state.completed_at is not None else None,
        "status": state.status,
        "background": wishes.background,
        "error": state.error,
        "incomplete_details": {"reason": state.incomplete} if state.incomplete else None,
        "instructions": asked.instructions,
        "max_output_tokens": parameters.max_tokens,
        "metadata": asked.metadata,
        "model": model,
        "output": state.output,
        "parallel_tool_calls": parameters.parallel_tool_calls is not False,
        "previous_response_id": ids.response_id(asked.previous) if asked.previous else None,
        "reasoning": {"effort": parameters.reasoning_effort, "summary": wishes.summary},
        "store": True,
        "temperature": parameters.temperature,
        "text": {"format": formats.flat(parameters.response_format)},
        "tool_choice": formats.choice(parameters.tool_choice),
        "tools": [formats.tool(tool) for tool in parameters.tools],
        "top_p": parameters.top_p,
        "truncation": "disabled",
        "usage": response_usage(state.usage) if state.usage else None,
    }


def ended(
    outcome: str,
    finish_reason: str | None,
    error: events.Error | None,
    *,
    at: int,
    usage: Tokens | None,
) -> State:
    """The state of a run that has ended, without its output."""
    if outcome == "failed" or error is not None:
        error = error or events.Error("internal", "The run failed.")
        told = {"code": _ERRORS.get(error.code, _OTHER_ERROR), "message": error.message}
        return State("failed", error=told, usage=usage)
    if outcome == "cancelled":
        return State("cancelled", usage=usage)
    if reason := _INCOMPLETE.get(finish_reason or ""):
        return State("incomplete", incomplete=reason, usage=usage)
    return State("completed", usage=usage, completed_at=at)


def stored(completion: Completion) -> dict[str, Any]:
    """The object of what chat has of a completion."""
    run, answer, asked = completion.run, completion.answer, asking.of_completion(completion)
    created_at = _milliseconds(run.created_at)
    if run.ended_at is None:
        going = "queued" if run.status == "queued" else "in_progress"
        return response(run.id, asked, run.model, created_at, State(going))
    state = ended(
        run.status,
        answer.finish_reason if answer else None,
        events.Error(run.error.code, run.error.message) if run.error else None,
        at=_milliseconds(run.ended_at),
        usage=answer.usage if answer else None,
    )
    if answer is not None:
        state.output.extend(_items(run.id, answer, asked, state.item_status))
    return response(run.id, asked, run.model, created_at, state)


def _items(run_id: str, answer: ChatMessage, asked: Asked, status: str) -> list[dict[str, Any]]:
    output = Output(run_id, summary=asked.wishes.summary is not None)
    pieces: list[Piece] = [
        *([Thought(answer.reasoning)] if answer.reasoning else []),
        *([Said(answer.content)] if answer.content else []),
        *(Called(events.ToolCall(call.call_id, call.name, call.arguments)) for call in answer.tool_calls),
    ]
    for piece in pieces:
        for _ in output.take(piece):
            pass  # the events are told to watchers
    for _ in output.close(status):
        pass
    return output.items


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)

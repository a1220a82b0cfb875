"""The decisions of chat: values in, values out."""

from datetime import datetime
from typing import Any

from contracts import events
from contracts.chat import CreateConversation
from contracts.chat_facts import RunEndedFact
from contracts.ids import MAIN_LANE, RUN_LANE
from contracts.message import Owner
from kit.orchestrate.moments import milliseconds, moment, took
from kit.orchestrate.wording import without_nul
from kit.runlog.outcome import outcome_of, usage_values
from services.chat.models import AnyRun, ConversationRow, MessageRow, RunRow


def created_event(run: AnyRun) -> events.RunCreated:
    """The first event of a run; the same whenever it is made."""
    return events.RunCreated(
        lane=RUN_LANE,
        at=milliseconds(run.created_at),
        run_id=run.id,
        kind="chat",
        conversation_id=None if run.hidden else run.conversation_id,
        message_id=run.message_id,
        generations=(events.GenerationPlan(lane=MAIN_LANE, model=run.model),),
        omitted_messages=run.omitted_messages,
    )


def queued_event(run: AnyRun, ahead: int) -> events.RunQueued:
    """What follows the first event of a run that waits."""
    return events.RunQueued(lane=RUN_LANE, at=milliseconds(run.created_at), run_id=run.id, ahead=ahead)


def reply_row(ending: events.GenerationEnding, text: str, reasoning: str) -> MessageRow:
    """What the assistant's message says, whole or partial; NUL cannot be stored and is dropped."""
    failed = ending if isinstance(ending, events.GenerationFailed) else None
    return MessageRow(
        role="assistant",
        content=without_nul(text),
        tool_calls=[_stored_call(call) for call in ending.tool_calls] or None,
        reasoning=without_nul(reasoning) or None,
        status=outcome_of(ending),
        model=ending.model,
        finish_reason=ending.finish_reason if isinstance(ending, events.GenerationCompleted) else None,
        error={"code": failed.error.code, "message": failed.error.message} if failed else None,
        usage=usage_values(ending.usage),
        cost_usd=ending.cost_usd,
        created_at=moment(ending.at),
    )


def _stored_call(call: events.ToolCall) -> dict[str, Any]:
    return {
        "call_id": without_nul(call.call_id),
        "name": without_nul(call.name),
        "arguments": without_nul(call.arguments),
    }


def ended_event(run: AnyRun, ends: tuple[events.LaneEnd, ...] = ()) -> events.RunEnding:
    """The last event of a run that has ended; the same whenever it is made. `ends`: where its lanes end in the log."""
    at = milliseconds(run.ended_at) if run.ended_at else 0
    match run.status:
        case "completed":
            return events.RunCompleted(lane=RUN_LANE, at=at, run_id=run.id, ends=ends)
        case "cancelled":
            return events.RunCancelled(lane=RUN_LANE, at=at, run_id=run.id, ends=ends)
        case _:
            error = run.error or {"code": "internal", "message": "The run failed."}
            return events.RunFailed(lane=RUN_LANE, at=at, run_id=run.id, ends=ends, error=events.Error(**error))


def ended_fact(run: AnyRun) -> RunEndedFact:
    """What everybody is told of a run that has ended; the same whenever it is made. Nobody waits for a mail about a
    completion: its client has asked for the answer itself.
    """
    notify: Any = "never" if run.hidden else run.notify
    outcome: Any = run.status
    return RunEndedFact(
        outcome=outcome,
        owner=Owner(tenant=run.tenant, user=run.user),
        run_id=run.id,
        conversation_id=run.conversation_id,
        message_id_stored=run.message_id,
        model=run.model,
        error_code=run.error["code"] if run.error else None,
        total_ms=took(run.created_at, run.ended_at),
        notify=notify,
    )


def replay(run: RunRow, reply: MessageRow | None) -> list[events.Event]:
    """The events of a run whose log is gone, from what is stored of it."""
    told: list[events.Event] = [created_event(run)]
    if reply is not None:
        told.append(_ending(reply))
    if run.ended_at is not None:
        told.append(ended_event(run))
    return told


def _ending(reply: MessageRow) -> events.GenerationEnding:
    common: dict[str, Any] = {
        "lane": MAIN_LANE,
        "at": milliseconds(reply.created_at),
        "attempt": 1,
        "model": reply.model or "",
        "text": reply.content,
        "reasoning": reply.reasoning,
        "tool_calls": tuple(events.ToolCall(**call) for call in reply.tool_calls or ()),
        "usage": events.Usage(**reply.usage) if reply.usage else None,
        "cost_usd": reply.cost_usd,
    }
    if reply.status == "completed":
        return events.GenerationCompleted(**common, provider="", finish_reason=reply.finish_reason or "stop")  # type: ignore[arg-type]
    if reply.status == "cancelled":
        return events.GenerationCancelled(**common)
    return events.GenerationFailed(**common, error=events.Error(**(reply.error or {"code": "internal", "message": ""})))


def conversation_row(command: CreateConversation, title: str, system: str | None, now: datetime) -> ConversationRow:
    """A new conversation."""
    return ConversationRow(
        id=command.conversation_id,
        tenant=command.owner.tenant,
        user=command.owner.user,
        title=title,
        system=system,
        created_at=now,
        updated_at=now,
    )

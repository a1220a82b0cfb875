"""A run that begins, and what is stored of it: values in, values out."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.chat import Regenerate, SendMessage
from contracts.completions import StartCompletion
from contracts.content import Turn
from contracts.generation import GenerateRequest
from contracts.ids import MAIN_LANE
from kit.orchestrate import wording
from kit.orchestrate.moments import milliseconds
from kit.refusal import Refused
from services.chat.begin_store import Kind, as_json
from services.chat.models import RunRow, RunState
from services.chat.questions import Question

Starting = SendMessage | Regenerate | StartCompletion
"""The requests that start a run."""

CLAIMED = 2
"""Positions that a run takes behind those there are: its question's and its answer's."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run goes."""

    conversation_id: str
    kind: Kind
    last_position: int
    parent_id: str | None
    """The message it answers."""
    follows: str | None = None
    """The message that the question follows, if that is known yet."""
    follows_head: bool = False
    head: str | None = None
    """The newest message that is shown, where the question has to follow just that."""
    system: str | None = None

    @property
    def waits(self) -> bool:
        """Whether others come first."""
        return self.kind in ("wait", "wait_again")


def new_run(
    command: Starting, model: str, place: Place, turns: tuple[Turn, ...], *, message_id: str, now: datetime
) -> RunState:
    """The run, with the complete order to inference; of one that waits the turns are told later."""
    request = GenerateRequest(
        owner=command.owner,
        run_id=command.run_id,
        lane=MAIN_LANE,
        model=model,
        fallbacks=command.fallbacks,
        messages=turns,
        parameters=command.parameters,
        timeouts=command.timeouts,
        requested_at=milliseconds(now),
    )
    return RunState(
        id=command.run_id,
        tenant=command.owner.tenant,
        user=command.owner.user,
        conversation_id=place.conversation_id,
        message_id=message_id,
        parent_id=place.parent_id,
        position=place.last_position + CLAIMED,
        model=model,
        begins_conversation=place.kind == "new",
        hidden=place.kind == "completion",
        status="queued" if place.waits else "running",
        follows_head=place.follows_head,
        notify=None if isinstance(command, StartCompletion) else command.notify,
        request=request,
        idempotency_key=command.idempotency_key,
        created_at=now,
    )


def run_values(run: RunState, place: Place, question: Question | None, client_id: str | None = None) -> dict[str, Any]:
    """What is stored when a run begins."""
    return {
        "run_id": run.id,
        "tenant": run.tenant,
        "user": run.user,
        "conversation_id": run.conversation_id,
        "reply_id": run.message_id,
        "parent_id": run.parent_id,
        "position": run.position,
        "model": run.model,
        "begins": run.begins_conversation,
        "hidden": run.hidden,
        "status": run.status,
        "request": run.order().model_dump_json(exclude_none=True),
        "completion": as_json(run.completion),
        "idempotency_key": run.idempotency_key,
        "fingerprint": run.fingerprint,
        "follows_head": run.follows_head,
        "notify": run.notify,
        "omitted": run.omitted_messages,
        "trace": json.dumps(run.trace) if run.trace else None,
        "now": run.created_at,
        "title": wording.title_from(question.content) if question else "",
        "system": place.system,
        "follows": place.follows,
        "head": place.head,
        "client_id": client_id,
        "content": question.content if question else "",
        "images": as_json(question.images) if question else None,
        "tool_results": as_json(question.results) if question else None,
        "message_status": "queued" if place.waits else "completed",
    }


def check_repeated(earlier: RunRow, fingerprint: str | None) -> RunRow:
    """The run of an earlier request with this idempotency key, or Refused if that asked for something else."""
    if earlier.fingerprint != fingerprint:
        raise Refused("idempotency_conflict", "This Idempotency-Key was used for another request.")
    return earlier

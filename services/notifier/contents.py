"""Fetching what a notification says, at the moment it is sent, from the service that owns the run."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from contracts import architect, chat, compare
from contracts.architect_values import AssistantRun, RunStep
from contracts.compare_values import ComparedLane, Comparison
from contracts.ids import orchestrator_of
from contracts.message import Owner, Request
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.rpc import Unavailable, call
from kit.orchestrate.moments import took
from kit.refusal import Refused
from services.notifier.content import Answer, Content, StepLine
from services.notifier.core import waiting_step
from services.notifier.failures import LaterError
from services.notifier.models import NoticeRow

TIMEOUT_SECONDS = 10.0
NOT_NOW = "unavailable"


class GoneError(Exception):
    """There is nothing to tell any more. `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Contents:
    """Asks chat, compare and architect."""

    def __init__(self, bus: Bus, blobs: Blobs) -> None:
        self._bus, self._blobs = bus, blobs

    async def of(self, notice: NoticeRow) -> Content:
        """Everything about a notice. Raises GoneError if the run is gone, LaterError if its owner does not answer."""
        owner = Owner(tenant=notice.tenant, user=notice.user)
        try:
            return await _FROM[str(orchestrator_of(notice.run_id))](self._ask, owner, notice)
        except Unavailable as error:
            raise LaterError("owner_away", "The service that has the text does not answer.") from error
        except Refused as refusal:
            if refusal.problem.code == "unknown_run":
                raise GoneError("run_gone") from refusal
            raise LaterError("owner_away", refusal.problem.message) from refusal

    async def _ask(self, request: Request[Any]) -> Any:
        return await call(self._bus, request, timeout=TIMEOUT_SECONDS, blobs=self._blobs)


_Ask = Callable[[Request[Any]], Awaitable[Any]]


async def _of_chat(ask: _Ask, owner: Owner, notice: NoticeRow) -> Content:
    run: chat.Run = await ask(chat.GetRun(owner=owner, run_id=notice.run_id))
    title = ""
    if run.conversation_id is not None:
        try:
            title = (await ask(chat.GetConversation(owner=owner, conversation_id=run.conversation_id))).title
        except Refused as refusal:
            if refusal.problem.code == NOT_NOW:
                raise
    answer = Answer(text=run.text or "", model=run.model, outcome=notice.outcome or "completed")
    return Content.model_validate(
        {
            **_common(notice, "chat", run.created_at, run.ended_at),
            "title": title,
            "answers": (answer,),
            "error": run.error,
            "model": run.model,
            "cost_usd": run.cost_usd,
            "conversation_id": run.conversation_id,
        }
    )


async def _of_comparison(ask: _Ask, owner: Owner, notice: NoticeRow) -> Content:
    found: Comparison = await ask(compare.GetComparison(owner=owner, run_id=notice.run_id))
    costs = [Decimal(lane.cost_usd) for lane in found.lanes if lane.cost_usd is not None]
    return Content.model_validate(
        {
            **_common(notice, "compare", found.created_at, found.ended_at),
            "title": found.title,
            "answers": tuple(_lane(lane, place) for place, lane in enumerate(found.lanes, start=1)),
            "error": found.error,
            "cost_usd": str(sum(costs)) if costs else None,
        }
    )


def _lane(lane: ComparedLane, place: int) -> Answer:
    return Answer(
        text=lane.text or "",
        label=lane.model or f"Answer {place}",
        model=lane.model,
        outcome="completed" if lane.status == "running" else lane.status,
        error=lane.error,
    )


async def _of_assistant(ask: _Ask, owner: Owner, notice: NoticeRow) -> Content:
    run: AssistantRun = await ask(architect.GetAssistantRun(owner=owner, run_id=notice.run_id))
    waiting = waiting_step(notice.about)
    asked = next((step for step in run.steps if step.step == waiting), None)
    if waiting is not None and (asked is None or asked.status != "approval"):
        raise GoneError("decided")
    titles = {step.step: step.title or step.step for step in run.steps}
    outputs = () if waiting is not None else run.outputs.items()
    return Content.model_validate(
        {
            **_common(notice, "architect", run.created_at, run.ended_at),
            "title": run.name,
            "answers": tuple(Answer(text=text, label=titles.get(step, step)) for step, text in outputs),
            "steps": tuple(_line(step) for step in run.steps),
            "step": None if asked is None else titles[asked.step],
            "instructions": None if asked is None else asked.instructions,
            "error": run.error,
            "cost_usd": run.cost_usd,
            "assistant_id": run.assistant_id,
        }
    )


def _line(step: RunStep) -> StepLine:
    return StepLine(
        title=step.title or step.step,
        status=step.status,
        model=step.model,
        duration_ms=step.total_ms,
        cost_usd=step.cost_usd,
        error=step.error,
    )


def _common(notice: NoticeRow, kind: str, created_at: datetime, ended_at: datetime | None) -> dict[str, Any]:
    return {
        "run_id": notice.run_id,
        "kind": kind,
        "occasion": "ended" if waiting_step(notice.about) is None else "approval",
        "outcome": notice.outcome,
        "duration_ms": None if notice.outcome is None else took(created_at, ended_at),
        "happened_at": notice.happened_at,
    }


_FROM: dict[str, Callable[[_Ask, Owner, NoticeRow], Awaitable[Content]]] = {
    "chat": _of_chat,
    "compare": _of_comparison,
    "architect": _of_assistant,
}

"""The endings that architect writes itself: of generations that a run shows again."""

from typing import Any

import msgspec

from contracts import events
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.db.database import Database
from kit.orchestrate.moments import milliseconds
from kit.runlog.once import end_lane
from services.architect import run_store
from services.architect.models import Planned, StepRow
from services.architect.plan import key_of


class OwnEndings:
    """Writes what the tables say of such steps."""

    def __init__(self, bus: Bus, database: Database, blobs: Blobs) -> None:
        self._bus, self._database, self._blobs = bus, database, blobs

    async def write(self, planned: Planned) -> None:
        """Write the endings of all of them, and store where they are. Raises TimeoutError, JetStreamError."""
        run = planned.run
        if not any(step.own and not step.attempts for step in planned.steps):
            return
        whole = await self._database.run(lambda session: run_store.steps(session, run.id, texts=True))
        for step in whole:
            if step.own and step.lane is not None and not step.attempts:
                place = await self._write(planned, step)
                await self._database.fetch(
                    run_store.KEPT_AT, {"run_id": run.id, "step": step.step, "lane": step.lane, "sequence": place}
                )

    async def _write(self, planned: Planned, step: StepRow) -> int:
        ending, name = ending_of(step), f"{planned.run.id}.{step.lane}.{step.status}"
        text, text_ref = await self._blobs.inline_or_kept(f"{name}.text", step.text or "")
        reasoning, reasoning_ref = await self._blobs.inline_or_kept(f"{name}.reasoning", step.reasoning or "")
        carried: events.GenerationEnding = msgspec.structs.replace(
            ending, text=text, text_ref=text_ref, reasoning=reasoning or None, reasoning_ref=reasoning_ref
        )
        return (await end_lane(self._bus, key_of(planned.run), carried)).sequence


def ending_of(step: StepRow) -> events.GenerationEnding:
    """The ending of a step's generation as its row tells it, with its whole text."""
    common: dict[str, Any] = {
        "lane": step.lane or "",
        "at": 0 if step.ended_at is None else milliseconds(step.ended_at),
        "attempt": 1,
        "model": step.model,
        "text": step.text,
        "reasoning": step.reasoning,
        "usage": None if step.usage is None else events.Usage(**step.usage),
        "timings": _timings(step),
        "cost_usd": step.cost_usd,
    }
    if step.status == "completed":
        reason: Any = step.finish_reason or "stop"
        return events.GenerationCompleted(**common, provider=step.provider or "", finish_reason=reason)
    if step.status == "cancelled":
        return events.GenerationCancelled(**common, provider=step.provider)
    told = step.error or {"code": "internal", "message": "Something went wrong on our side."}
    return events.GenerationFailed(**common, provider=step.provider, error=events.Error(**told))


def _timings(step: StepRow) -> events.Timings | None:
    if step.queued_ms is None or step.total_ms is None:
        return None
    return events.Timings(step.queued_ms, step.first_token_ms, step.total_ms)

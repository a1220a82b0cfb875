"""What happens by itself when its time has come: another attempt, the end of a patience."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts import events
from contracts.architect_work import TimeIsUp
from contracts.message import Owner
from kit.clock import utc_now
from kit.db.database import Database
from kit.orchestrate.periodic import one_of_many
from kit.refusal import Refused
from services.architect import course as transitions
from services.architect import run_store
from services.architect.course import Course
from services.architect.models import StepRow
from services.architect.onward import Onward
from services.architect.transitions import Transitions

SLACK = timedelta(seconds=1)
"""A timer may be a little early by the clock of this machine."""
RUN_TIMED_OUT = events.Error("run_timeout", "The run took longer than its time limit.")
_WHAT = {"retrying": "retry", "running": "deadline", "approval": "approval"}


class TimerHandlers:
    """Acts when a moment has come; the rows say whether anything still waits for it."""

    def __init__(self, database: Database, transitions_: Transitions, onward: Onward) -> None:
        self._database, self._transitions, self._onward = database, transitions_, onward

    async def on_time_is_up(self, due: TimeIsUp) -> None:
        """Go on with what waited for this moment."""

        async def transition(_: AsyncSession, course: Course) -> None:
            if due.what == "run":
                _run_is_late(course)
            else:
                step = course.planned.step(due.step)
                if step is not None and step.turn == due.turn and _WHAT.get(step.status) == due.what:
                    _step_is_due(course, step)

        try:
            planned = await self._transitions.change(due.owner, due.run_id, transition)
        except Refused:  # deleted meanwhile
            return
        await self._onward.follow(planned)

    async def sweep(self, before: datetime, limit: int) -> None:
        """Do what timers should have done."""
        for (tenant, user, run_id), step in await self._database.run(
            lambda session: run_store.overdue(session, before, limit)
        ):
            what, name, turn = ("run", "", 0) if step is None else (_WHAT.get(step.status), step.step, step.turn)
            if what is None:
                continue
            owner = Owner(tenant=tenant, user=user)
            due = TimeIsUp.model_validate({"owner": owner, "run_id": run_id, "what": what, "step": name, "turn": turn})
            await one_of_many(f"run {run_id} cannot go on after its time", self.on_time_is_up(due))


def _run_is_late(course: Course) -> None:
    run = course.planned.run
    if run.due_at is not None and run.due_at <= utc_now() + SLACK:
        run.due_at = None
        transitions.stop(course, "failed", RUN_TIMED_OUT)


def _step_is_due(course: Course, step: StepRow) -> None:
    if step.due_at is None or step.due_at > utc_now() + SLACK:
        return
    if step.status == "retrying":
        transitions.take_up(course, step)
    elif step.status == "approval":
        transitions.decide(course, step, approved=False, by=None, comment="")
    else:
        step.stopped, step.due_at, course.changed = step.stopped or "timeout", None, True

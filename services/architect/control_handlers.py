"""What architect does when somebody stops a run or a step, or decides about one that waits for approval."""

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.architect import CancelArchitectRun, CancelStep, DecideApproval
from contracts.architect_values import AssistantRun
from contracts.chat_values import Run
from contracts.message import Owner
from kit.orchestrate.wording import storable
from kit.refusal import Refused
from services.architect import course as transitions
from services.architect.core import PENDING
from services.architect.course import Course
from services.architect.endings import EndingHandlers
from services.architect.models import Planned, StepRow
from services.architect.onward import Onward
from services.architect.plan import key_of
from services.architect.run_handlers import RunHandlers
from services.architect.transitions import Transition, Transitions

UNKNOWN_STEP = "There is no such step in this run."


class ControlHandlers:
    """Stops, approves and rejects."""

    def __init__(self, transitions_: Transitions, onward: Onward, endings: EndingHandlers, runs: RunHandlers) -> None:
        self._transitions, self._onward, self._endings, self._runs = transitions_, onward, endings, runs

    async def on_cancel_architect_run(self, command: CancelArchitectRun) -> Run:
        """Stop every step that goes on; a run that has ended stays as it is."""

        async def transition(_: AsyncSession, course: Course) -> None:
            transitions.stop(course, "cancelled")

        await self._do(command.owner, command.run_id, transition)
        return await self._runs.run(command.owner, command.run_id)

    async def on_cancel_step(self, command: CancelStep) -> AssistantRun:
        """Stop one step; the others go on as its policy says."""

        async def transition(_: AsyncSession, course: Course) -> None:
            step = found(course.planned, command.step)
            if step.status == "running" and step.stopped is None:
                step.stopped, course.changed = "user", True
            elif step.status in PENDING:
                transitions.cancel(course, step)

        found(await self._do(command.owner, command.run_id, transition), command.step)
        return await self._runs.assistant_run(command.owner, command.run_id)

    async def on_decide_approval(self, command: DecideApproval) -> AssistantRun:
        """Approve a step that waits for it, or reject it."""
        comment = storable(command.comment)

        async def transition(_: AsyncSession, course: Course) -> None:
            step = found(course.planned, command.step)
            if step.status == "approval":
                transitions.decide(course, step, approved=command.approved, by=command.owner.user, comment=comment)

        step = found(await self._do(command.owner, command.run_id, transition), command.step)
        if step.decision is None:
            raise Refused("not_waiting_for_approval", "This step does not wait for approval.")
        if step.decision["approved"] != command.approved:
            said = "approved" if step.decision["approved"] else "rejected"
            raise Refused("already_decided", f"This step was {said} already.")
        return await self._runs.assistant_run(command.owner, command.run_id)

    async def _do(self, owner: Owner, run_id: str, transition: Transition) -> Planned:
        """Change a run, and wait until what that stops has stopped."""
        planned = await self._transitions.change(owner, run_id, transition)
        await self._onward.follow(planned)
        for step in planned.steps:
            if step.status == "running" and step.lane and (planned.run.stopping is not None or step.stopped):
                await self._endings.end_now(key_of(planned.run), step.lane)
        return planned


def found(planned: Planned, name: str) -> StepRow:
    """A step of a run, or Refused."""
    step = planned.step(name)
    if step is None:
        raise Refused("unknown_step", UNKNOWN_STEP)
    return step

"""Beginning a step that is ready: its condition, its approval, its question."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts import events
from contracts.architect_work import StartStep
from contracts.assistant import Step
from contracts.content import Turn
from contracts.generation import GenerateRequest
from contracts.message import Owner
from kit.db.database import Database
from kit.orchestrate import window
from kit.orchestrate.moments import milliseconds
from kit.orchestrate.offers import Offers
from kit.orchestrate.periodic import one_of_many
from kit.refusal import Refused
from kit.settings import ArchitectSettings
from services.architect import course as transitions
from services.architect import run_store
from services.architect.course import Course
from services.architect.models import StepRow
from services.architect.onward import Onward
from services.architect.plan import lane_of, owner_of
from services.architect.rendering import Done, holds, render
from services.architect.transitions import Transition, Transitions

BEGUN_WITHIN = timedelta(seconds=20)
"""From the order to the beginning of a step, however busy it is."""


class StepHandlers:
    """Begins steps. The order may come twice, and late: the step's turn says whether it is still meant."""

    def __init__(
        self,
        database: Database,
        offers: Offers,
        transitions_: Transitions,
        onward: Onward,
        limits: ArchitectSettings,
    ) -> None:
        self._database, self._offers, self._transitions, self._onward = database, offers, transitions_, onward
        self._limits = limits

    async def on_start_step(self, order: StartStep) -> None:
        """Ask the step's model, unless its condition does not hold or somebody has to approve it first."""
        try:
            planned = await self._database.run(lambda session: run_store.planned(session, order.owner, order.run_id))
        except Refused:  # deleted meanwhile
            return
        step = planned.step(order.step)
        if _is_meant(step, order):
            assert step is not None  # noqa: S101
            wanted = Step.model_validate(step.definition)
            offered = await self._offered(wanted.model, *wanted.fallbacks)
            planned = await self._transitions.change(
                order.owner, order.run_id, self._beginning(order, wanted, offered), inputs=True
            )
        await self._onward.follow(planned)

    async def _offered(self, *wanted: str) -> Sequence[str]:
        """The models that can be asked. If nobody can tell now, it is tried: inference decides in the end."""
        try:
            return await self._offers.ids(*wanted)
        except Refused:
            return wanted

    async def sweep(self, before: datetime, limit: int) -> None:
        """Begin steps whose order was given long ago: it was given up, or is lost."""
        for (tenant, user, run_id), step, turn in await self._database.run(
            lambda session: run_store.not_begun(session, before - BEGUN_WITHIN, limit)
        ):
            order = StartStep(owner=Owner(tenant=tenant, user=user), run_id=run_id, step=step, turn=turn)
            await one_of_many(f"step {step} of run {run_id} cannot begin", self.on_start_step(order))

    def _beginning(self, order: StartStep, wanted: Step, offered: Sequence[str]) -> Transition:
        async def transition(session: AsyncSession, course: Course) -> None:
            step = course.planned.step(order.step)
            if step is None or not _is_meant(step, order) or course.planned.run.stopping is not None:
                return
            texts = await run_store.outputs(session, order.run_id)
            done = {other.step: done_of(other, *texts.get(other.step, (None, None))) for other in course.planned.steps}
            try:
                self._begin(course, step, wanted, offered, done)
            except Refused as refusal:
                transitions.fail(course, step, events.Error(refusal.problem.code, refusal.problem.message))
            except ValueError as error:
                transitions.fail(course, step, events.Error("condition_failed", str(error)))

        return transition

    def _begin(
        self, course: Course, step: StepRow, wanted: Step, offered: Sequence[str], done: Mapping[str, Done]
    ) -> None:
        values = course.planned.run.inputs
        if not holds(wanted, values, done):
            transitions.skip(course, step, "condition")
            return
        if step.approval is not None and step.decision is None:
            transitions.ask_approval(course, step)
            return
        steps = [Step.model_validate(other.definition) for other in course.planned.steps]
        turns = render(wanted, steps, values, done, self._limits.max_rendered_characters)
        models = [model for model in (wanted.model, *wanted.fallbacks) if model in offered]
        if not models:
            raise Refused("unknown_model", f"The model {wanted.model!r} is not offered any more.")
        misfit = window.misfit(turns, window.window_of(self._offers.card(models[0])), wanted.parameters)
        if misfit is not None:
            transitions.fail(course, step, misfit)
            return
        order = GenerateRequest(
            owner=owner_of(course.planned.run),
            run_id=step.run_id,
            lane=lane_of(step.position, step.attempt + 1),
            model=models[0],
            messages=turns,
            fallbacks=tuple(models[1:]),
            parameters=wanted.parameters,
            timeouts=wanted.timeouts,
            requested_at=milliseconds(course.now),
        )
        transitions.start(course, step, order.lane, order.model_dump(mode="json", exclude_none=True))


def done_of(step: StepRow, text: str | None, question: dict[str, Any] | None) -> Done:
    """A step as the prompts after it see it. `question` is the last thing that its model was asked."""
    turns = () if question is None else (Turn.model_validate(question),)
    return Done(text or "", step.status, step.error["message"] if step.error else "", turns)


def _is_meant(step: StepRow | None, order: StartStep) -> bool:
    return step is not None and step.status == "ready" and step.turn == order.turn

"""The orders by which architect goes from step to step. Each is one transition, and any replica may carry it out."""

from typing import ClassVar, Literal

from contracts import subjects
from contracts.ids import RunId
from contracts.message import Message, Owner


class StartStep(Message):
    """Begin a step that is ready, or skip it if its condition does not hold. `turn` counts how often it was ready."""

    SUBJECT: ClassVar[str] = subjects.START_STEP
    owner: Owner
    run_id: RunId
    step: str
    turn: int

    def message_id(self) -> str:
        """Once per turn."""
        return f"step.{self.run_id}.{self.step}.{self.turn}"


class TimeIsUp(Message):
    """A moment has come that a run was waiting for. `turn` is that of the step when the timer was set.

    `retry`: of the next attempt; `deadline`: of an answer; `approval`: of somebody's decision; `run`: of the whole run,
    which has no step.
    """

    SUBJECT: ClassVar[str] = subjects.ARCHITECT_TIME_IS_UP
    owner: Owner
    run_id: RunId
    what: Literal["retry", "deadline", "approval", "run"]
    step: str = ""
    turn: int = 0

    def timer(self) -> str:
        """The name of the timer. A step has one at most, and setting it again replaces it."""
        return f"architect.{self.run_id}.{self.step}" if self.step else f"architect.{self.run_id}"

"""The tables of runs, their steps, and what is told of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Text
from sqlmodel import Field

from kit.db.tables import timestamp
from services.architect.tables import Table, json_column

ENDED = frozenset({"completed", "failed", "skipped", "cancelled"})
"""The states of a step that nothing follows."""


class RunRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """One run of an assistant. It needs nothing of the assistant any more, and of the files only what is in `inputs`.

    `stopping`: nothing further begins; it says how the run ends then. `last_n` counts what its log is to say
    (RunEventRow), `told_n` how much of that is known to be there. `changes` counts the transactions that changed
    something, and `owed_since` is set by each until all that follows from it is on the bus (onward.py).
    `due_at` is its own deadline. `told_at`: its log has its ending; `purged_at`: its log is gone, or about to go.
    """

    __tablename__ = "run"

    id: str = Field(primary_key=True)
    tenant: str
    user: str
    assistant_id: str
    assistant_version: int
    name: str
    fields: list[dict[str, Any]] = json_column(nullable=False)
    inputs: dict[str, Any] = json_column(nullable=False)
    notify: str | None = None
    parent_run_id: str | None = None
    status: str = "running"
    stopping: dict[str, Any] | None = json_column()
    error: dict[str, Any] | None = json_column()
    usage: dict[str, Any] | None = json_column()
    cost_usd: str | None = None
    timeout_seconds: float | None = None
    idempotency_key: str | None = None
    fingerprint: str | None = None
    trace: dict[str, str] | None = json_column()
    last_n: int = 0
    told_n: int = 0
    changes: int = 0
    created_at: datetime = timestamp()
    due_at: datetime | None = timestamp(nullable=True)
    owed_since: datetime | None = timestamp(nullable=True)
    dispatched_at: datetime | None = timestamp(nullable=True)
    ended_at: datetime | None = timestamp(nullable=True)
    told_at: datetime | None = timestamp(nullable=True)
    purged_at: datetime | None = timestamp(nullable=True)


class StepRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """One step of a run. `position` is its place in the plan, from 1; `definition` the whole of it (contracts.Step).

    `turn` counts how often it became ready, `attempt` how often a model was asked; `lane` is the newest attempt's, and
    `attempts` has those that are over: lane, place of their ending, usage, cost. `request` is the order to inference.
    `sent_at`: the order that its state asks for is on the bus. `due_at`: when its state ends by itself (the next
    attempt, the deadline of this one, the end of the patience with an approval), and `timer_at` the timer that is set.
    `stopped`: why its answer is being stopped: `user` or `timeout`. `own`: architect writes the ending into the lane
    itself, because an earlier run generated it: the step of `origin_run_id`, `origin_lane` there.
    """

    __tablename__ = "step"

    run_id: str = Field(primary_key=True)
    step: str = Field(primary_key=True)
    position: int
    title: str
    model: str
    depends_on: list[str] = json_column(nullable=False)
    on_error: str
    retries: int
    definition: dict[str, Any] = json_column(nullable=False)
    approval: dict[str, Any] | None = json_column()
    decision: dict[str, Any] | None = json_column()
    status: str = "waiting"
    turn: int = 0
    attempt: int = 0
    lane: str | None = None
    attempts: list[dict[str, Any]] = json_column(nullable=False)
    request: dict[str, Any] | None = json_column()
    stopped: str | None = None
    own: bool = False
    origin_run_id: str | None = None
    origin_step: str | None = None
    origin_lane: str | None = None
    text: str | None = Field(default=None, sa_column=Column(Text))
    reasoning: str | None = Field(default=None, sa_column=Column(Text))
    provider: str | None = None
    finish_reason: str | None = None
    reason: str | None = None
    error: dict[str, Any] | None = json_column()
    usage: dict[str, Any] | None = json_column()
    cost_usd: str | None = None
    queued_ms: int | None = Field(default=None, sa_column=Column(BigInteger))
    first_token_ms: int | None = Field(default=None, sa_column=Column(BigInteger))
    total_ms: int | None = Field(default=None, sa_column=Column(BigInteger))
    started_at: datetime | None = timestamp(nullable=True)
    sent_at: datetime | None = timestamp(nullable=True)
    due_at: datetime | None = timestamp(nullable=True)
    timer_at: datetime | None = timestamp(nullable=True)
    ended_at: datetime | None = timestamp(nullable=True)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.status in ENDED


class RunEventRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """What the lane `run` of a run's log is to say, in this order: written with what brought it about."""

    __tablename__ = "run_event"

    run_id: str = Field(primary_key=True)
    n: int = Field(primary_key=True)
    event: str = Field(sa_column=Column(Text, nullable=False))


class Planned(NamedTuple):
    """A run with its steps, in the order of the plan."""

    run: RunRow
    steps: Sequence[StepRow]

    def step(self, name: str) -> StepRow | None:
        """The step of that name."""
        return next((step for step in self.steps if step.step == name), None)

    def of_lane(self, lane: str) -> StepRow | None:
        """The step whose newest attempt answers in that lane."""
        return next((step for step in self.steps if step.lane == lane), None)

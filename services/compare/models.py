"""The tables of compare."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from kit.db.tables import table_base, timestamp

Table = table_base("compare")


def _json(*, nullable: bool = True) -> Any:
    column = Column(JSONB(none_as_null=True), nullable=nullable)
    return Field(default=None, sa_column=column) if nullable else Field(sa_column=column)


class RunRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """One comparison: what every model is asked, its trace, and how it ended.

    `stopped_at`: somebody has stopped the run as a whole. `told_at`: its log has its ending. `purged_at`: its log is
    gone, or about to go; what is said there now is too late. `notify`: what its owner wants to be told of its end;
    none: what is set for them.
    """

    __tablename__ = "run"

    id: str = Field(primary_key=True)
    tenant: str
    user: str
    parent_run_id: str | None = None
    title: str = ""
    blind: bool = False
    status: str = "running"
    turns: list[dict[str, Any]] = _json(nullable=False)
    parameters: dict[str, Any] = _json(nullable=False)
    idempotency_key: str | None = None
    fingerprint: str | None = None
    notify: str | None = None
    trace: dict[str, str] | None = _json()
    error: dict[str, Any] | None = _json()
    created_at: datetime = timestamp()
    stopped_at: datetime | None = timestamp(nullable=True)
    dispatched_at: datetime | None = timestamp(nullable=True)
    ended_at: datetime | None = timestamp(nullable=True)
    told_at: datetime | None = timestamp(nullable=True)
    purged_at: datetime | None = timestamp(nullable=True)


class LaneRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """One model's answer. `request` is the order to inference without the turns, which are the run's.

    `origin_run_id` and `origin_lane` name the lane that was generated, if this one only shows it again. `own`: compare
    writes the ending itself, because nothing is generated. `ended_at` is the ending's own time.
    """

    __tablename__ = "lane"

    run_id: str = Field(primary_key=True)
    lane: str = Field(primary_key=True)
    position: int
    model: str
    request: dict[str, Any] = _json(nullable=False)
    origin_run_id: str | None = None
    origin_lane: str | None = None
    own: bool = False
    status: str = "running"
    text: str | None = Field(default=None, sa_column=Column(Text))
    reasoning: str | None = Field(default=None, sa_column=Column(Text))
    provider: str | None = None
    attempt: int | None = None
    finish_reason: str | None = None
    error: dict[str, Any] | None = _json()
    usage: dict[str, Any] | None = _json()
    cost_usd: str | None = None
    queued_ms: int | None = Field(default=None, sa_column=Column(BigInteger))
    first_token_ms: int | None = Field(default=None, sa_column=Column(BigInteger))
    total_ms: int | None = Field(default=None, sa_column=Column(BigInteger))
    tokens_per_second: float | None = None
    ended_at: datetime | None = timestamp(nullable=True)


class VoteRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """What an owner thinks of a comparison; it stays when that is deleted, without the comment.

    `lanes` are all lanes of the comparison as they were voted on: `lane`, `model`, `status`, the `rating` if there is
    one, and the `origin_run_id` and `origin_lane` of one that an earlier run generated. `told_at`: the fact is told.
    """

    __tablename__ = "vote"

    run_id: str = Field(primary_key=True)
    tenant: str
    user: str
    blind: bool = False
    outcome: str
    winner: str | None = None
    comment: str | None = Field(default=None, sa_column=Column(Text))
    lanes: list[dict[str, Any]] = _json(nullable=False)
    voted_at: datetime = timestamp()
    told_at: datetime | None = timestamp(nullable=True)


class Compared(NamedTuple):
    """A comparison with its lanes, in the order in which they are shown."""

    run: RunRow
    lanes: Sequence[LaneRow]
    vote: VoteRow | None = None

    @property
    def hidden(self) -> bool:
        """Whether nobody is told which model is which."""
        return self.run.blind and self.vote is None

    def lane(self, name: str) -> LaneRow | None:
        """The lane of that name."""
        return next((lane for lane in self.lanes if lane.lane == name), None)

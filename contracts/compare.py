"""Requests to compare about comparisons; what they are answered with is in contracts/compare_values.py."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from contracts.chat_values import Deleted, Run, RunPage, StoredRun
from contracts.compare_values import ComparedLane as ComparedLane
from contracts.compare_values import Comparison as Comparison
from contracts.compare_values import ComparisonPage as ComparisonPage
from contracts.compare_values import ComparisonStarted as ComparisonStarted
from contracts.compare_values import LaneOrigin as LaneOrigin
from contracts.compare_values import LaneRating as LaneRating
from contracts.compare_values import LaneStatus as LaneStatus
from contracts.compare_values import LaneWish as LaneWish
from contracts.compare_values import Leaderboard as Leaderboard
from contracts.compare_values import Standing as Standing
from contracts.compare_values import Vote as Vote
from contracts.content import Turn
from contracts.generation import Parameters, Timeouts
from contracts.ids import Id, RunId
from contracts.message import Owner, Request
from contracts.notify import NotifyPolicy


class CompareRequest(Request[Any]):
    """Something that is asked of compare, for an owner."""

    SERVICE: ClassVar[str] = "compare"
    owner: Owner


class StartComparison(CompareRequest):
    """Ask several models the same. The id of a blind comparison ends with `contracts.ids.BLIND`."""

    VERB: ClassVar[str] = "start_comparison"
    RESULT: ClassVar[Any] = ComparisonStarted
    AGAIN: ClassVar[bool] = True
    run_id: RunId
    turns: tuple[Turn, ...] = Field(min_length=1, description="the system prompt first, the question last")
    models: tuple[LaneWish, ...] = Field(max_length=64)
    parameters: Parameters = Parameters()
    timeouts: Timeouts = Timeouts()
    title: str = ""
    notify: NotifyPolicy | None = Field(None, description="none: the user's setting")
    idempotency_key: str | None = Field(None, max_length=255)


class ExtendComparison(CompareRequest):
    """A new run of a comparison that has ended: its finished lanes again, others anew, and further models.

    It is blind if the parent is and has no vote yet; no model can be added to such a one.
    """

    VERB: ClassVar[str] = "extend_comparison"
    RESULT: ClassVar[Any] = ComparisonStarted
    AGAIN: ClassVar[bool] = True
    run_id: RunId
    parent_run_id: RunId
    add: tuple[LaneWish, ...] = Field((), max_length=64)
    retry: tuple[Id, ...] = Field((), max_length=64, description="lanes to generate anew")
    timeouts: Timeouts = Timeouts()
    notify: NotifyPolicy | None = Field(None, description="none: the user's setting")
    idempotency_key: str | None = Field(None, max_length=255)


class GetComparison(CompareRequest):
    """One comparison, with the texts of its lanes so far."""

    VERB: ClassVar[str] = "get_comparison"
    RESULT: ClassVar[Any] = Comparison
    AGAIN: ClassVar[bool] = True
    run_id: RunId


class ListComparisons(CompareRequest):
    """A page of comparisons, newest first."""

    VERB: ClassVar[str] = "list_comparisons"
    RESULT: ClassVar[Any] = ComparisonPage
    AGAIN: ClassVar[bool] = True
    limit: int = Field(50, ge=1, le=200)
    before: str | None = None


class DeleteComparison(CompareRequest):
    """Delete a comparison. Its vote stays in the leaderboard, without the comment. Refused while it is running."""

    VERB: ClassVar[str] = "delete_comparison"
    RESULT: ClassVar[Any] = Deleted
    run_id: RunId


class VoteComparison(CompareRequest):
    """Vote, once, when the comparison has ended; the same vote again changes nothing. Reveals a blind one."""

    VERB: ClassVar[str] = "vote_comparison"
    RESULT: ClassVar[Any] = Comparison
    AGAIN: ClassVar[bool] = True
    run_id: RunId
    vote: Vote


class CancelLane(CompareRequest):
    """Stop one lane; the others go on. Stopping one that has ended changes nothing."""

    VERB: ClassVar[str] = "cancel_lane"
    RESULT: ClassVar[Any] = Comparison
    AGAIN: ClassVar[bool] = True
    run_id: RunId
    lane: Id


class GetLeaderboard(CompareRequest):
    """The models of the owner's tenant by its votes."""

    VERB: ClassVar[str] = "get_leaderboard"
    RESULT: ClassVar[Any] = Leaderboard
    AGAIN: ClassVar[bool] = True
    which: Literal["all", "blind"] = "all"


class GetCompareRun(CompareRequest):
    """One run, as every run looks."""

    VERB: ClassVar[str] = "get_run"
    RESULT: ClassVar[Any] = Run
    AGAIN: ClassVar[bool] = True
    run_id: RunId


class ListCompareRuns(CompareRequest):
    """A page of runs, newest first."""

    VERB: ClassVar[str] = "list_runs"
    RESULT: ClassVar[Any] = RunPage
    AGAIN: ClassVar[bool] = True
    limit: int = Field(50, ge=1, le=200)
    before: str | None = None


class CancelCompareRun(CompareRequest):
    """Stop every lane that goes on."""

    VERB: ClassVar[str] = "cancel_run"
    RESULT: ClassVar[Any] = Run
    AGAIN: ClassVar[bool] = True
    run_id: RunId


class ReplayCompareRun(CompareRequest):
    """What is stored of a run, for watchers that come after its log was purged. A blind one is told without names."""

    VERB: ClassVar[str] = "replay_run"
    RESULT: ClassVar[Any] = StoredRun
    AGAIN: ClassVar[bool] = True
    run_id: RunId

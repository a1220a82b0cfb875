"""One example of everything that compare is asked and tells; a part of the catalogue."""

from typing import Any

from contracts import compare
from contracts.chat_values import Deleted, Run, RunPage, StoredRun
from contracts.compare_facts import (
    CompareRunCreatedFact,
    CompareRunEndedFact,
    ComparisonDeletedFact,
    ComparisonVotedFact,
)
from contracts.content import Turn
from contracts.example_values import CREATED, ENDED, OWNER
from contracts.generation import Parameters, Timeouts, TokenUsage
from contracts.message import Message, Problem, Request, Value

RUN = "cmp_01k3x9v4t2p7q8r5s6w0y1z2ab"
PARENT = "cmp_01k3x9v4t1"
LANE = "lane_7f3c"

COMPARE_FACTS: tuple[Message, ...] = (
    CompareRunCreatedFact(owner=OWNER, run_id=RUN, parent_run_id=PARENT, blind=True, lanes=2),
    CompareRunEndedFact(
        outcome="failed",
        owner=OWNER,
        run_id=RUN,
        completed=0,
        failed=1,
        cancelled=1,
        error_code="all_lanes_failed",
        total_ms=1900,
        notify="when_away",
    ),
    ComparisonVotedFact(owner=OWNER, run_id=RUN, blind=True, verdict="winner", winner=LANE),
    ComparisonDeletedFact(owner=OWNER, run_id=RUN),
)

_problem = Problem(code="provider_unavailable", message="The model server does not answer.")
_vote = compare.Vote(
    outcome="winner", winner=LANE, ratings=(compare.LaneRating(lane=LANE, rating="up"),), comment="The clearest one."
)
_turns = (Turn(role="system", content="Be brief."), Turn(role="user", content="Hello"))
_wishes = (
    compare.LaneWish(model="demo-swift"),
    compare.LaneWish(model="demo-sage", parameters=Parameters(temperature=0)),
)
_comparison = compare.Comparison(
    id=RUN,
    title="Hello",
    status="failed",
    blind=True,
    revealed=True,
    turns=_turns,
    parameters=Parameters(temperature=0.2),
    lanes=(
        compare.ComparedLane(
            lane=LANE,
            model="demo-swift",
            provider="demo",
            status="failed",
            text="Hello, Ada",
            reasoning="They greet me.",
            finish_reason="stop",
            error=_problem,
            usage=TokenUsage(input_tokens=12, output_tokens=3, reasoning_tokens=2, cached_input_tokens=4),
            cost_usd="0.000018",
            queued_ms=4,
            first_token_ms=310,
            total_ms=1900,
            tokens_per_second=31.5,
            rating="up",
            origin=compare.LaneOrigin(run_id=PARENT, lane="lane_1"),
        ),
    ),
    vote=_vote,
    voted_at=ENDED,
    parent_run_id=PARENT,
    error=Problem(code="all_lanes_failed", message="No model has answered."),
    created_at=CREATED,
    ended_at=ENDED,
)
_run = Run(
    id=RUN,
    kind="compare",
    status="failed",
    conversation_id="conv_01k3x9v4t2",
    message_id="msg_01k3x9v4t2",
    model="demo-swift, demo-sage",
    text="Hello, Ada",
    revealed=True,
    cost_usd="0.000018",
    error=_problem,
    created_at=CREATED,
    ended_at=ENDED,
)
_standing = compare.Standing(
    model="demo-swift",
    strength=1042.0,
    low=980.5,
    high=1103.5,
    duels=40,
    wins=24.5,
    win_rate=0.6125,
    votes=44,
    all_bad=4,
    thumbs_up=9,
    thumbs_down=2,
    first_token_ms=310,
    tokens_per_second=31.5,
    cost_usd="0.000018",
    answers=60,
    failures=1,
)
_started = compare.ComparisonStarted(run_id=RUN, replayed=True)
_of_run: dict[str, Any] = {"owner": OWNER, "run_id": RUN}
_patience = Timeouts(first_token_seconds=30, silence_seconds=20, total_seconds=600)

COMPARE_EXCHANGES: tuple[tuple[Request[Any], Value], ...] = (
    (
        compare.StartComparison(
            **_of_run,
            turns=_turns,
            models=_wishes,
            parameters=Parameters(temperature=0.2),
            timeouts=_patience,
            title="Hello",
            notify="always",
            idempotency_key="7f3c",
        ),
        _started,
    ),
    (
        compare.ExtendComparison(
            **_of_run,
            parent_run_id=PARENT,
            add=_wishes,
            retry=("lane_1",),
            timeouts=_patience,
            notify="never",
            idempotency_key="7f3c",
        ),
        _started,
    ),
    (compare.GetComparison(**_of_run), _comparison),
    (
        compare.ListComparisons(owner=OWNER, limit=50, before=RUN),
        compare.ComparisonPage(items=(_comparison,), next=RUN),
    ),
    (compare.DeleteComparison(**_of_run), Deleted()),
    (compare.VoteComparison(**_of_run, vote=_vote), _comparison),
    (compare.CancelLane(**_of_run, lane=LANE), _comparison),
    (
        compare.GetLeaderboard(owner=OWNER, which="blind"),
        compare.Leaderboard(items=(_standing,), votes=44, computed_at=ENDED),
    ),
    (compare.GetCompareRun(**_of_run), _run),
    (compare.ListCompareRuns(owner=OWNER, limit=50, before=RUN), RunPage(items=(_run,), next=RUN)),
    (compare.CancelCompareRun(**_of_run), _run),
    (
        compare.ReplayCompareRun(**_of_run),
        StoredRun(run=_run, events=('{"type":"run.completed","lane":"run","at":1767225602000,"run_id":"cmp_1"}',)),
    ),
)

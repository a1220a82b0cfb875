"""One example of everything that architect is asked and tells; a part of the catalogue."""

from decimal import Decimal
from typing import Any

from contracts import architect, architect_values, events
from contracts.architect_facts import (
    ApprovalRequestedFact,
    ArchitectRunCreatedFact,
    ArchitectRunEndedFact,
    ArchitectStepEndedFact,
    AssistantDeletedFact,
    AssistantSavedFact,
)
from contracts.architect_work import StartStep, TimeIsUp
from contracts.assistant import StepChange
from contracts.assistant_examples import ASKED, ASSISTANT, ASSISTANT_EXCHANGES, DEFINITION, STEP
from contracts.chat_values import Deleted, Run, RunPage, StoredRun
from contracts.content import Turn
from contracts.example_values import AT, CREATED, ENDED, OWNER
from contracts.generation import TokenUsage
from contracts.ids import RUN_LANE
from contracts.message import Message, Problem, Request, Value

RUN = "arc_01k3x9v4t2p7q8r5s6w0y1z2ab"
PARENT = "arc_01k3x9v4t1"
LANE = "s2_1"

_of_step: dict[str, Any] = {"lane": RUN_LANE, "at": AT, "step": STEP, "done": 1, "total": 3}
_error = events.Error("provider_unavailable", "The model server does not answer.")
_source = events.LaneSource(PARENT, LANE)

STEP_EVENTS: tuple[events.StepEvent, ...] = (
    events.StepStarted(**_of_step, attempt=1, generation=LANE, model="demo-swift"),
    events.StepRetrying(**_of_step, attempt=1, generation=LANE, delay_ms=2000, error=_error),
    events.StepCompleted(**_of_step, attempt=1, generation=LANE, source=_source),
    events.StepFailed(**_of_step, attempt=2, generation="s2_2", error=_error, policy="skip", source=_source),
    events.StepSkipped(**_of_step, reason="condition"),
    events.StepCancelled(**_of_step, attempt=1, generation=LANE),
    events.ApprovalRequested(**_of_step, instructions="Is it polite?", expires_at=AT + 3_600_000),
    events.ApprovalDecided(**_of_step, approved=True, by="ada", comment="It is."),
)
STEP_PLAN = events.StepPlan(STEP, "Summary", "demo-swift", ("draft",), approval=True, condition="true", source=_source)
STEP_SUMMARY = events.StepSummary(
    step=STEP,
    outcome="completed",
    generation=LANE,
    attempts=1,
    model="demo-swift",
    reason="condition",
    error_code="provider_unavailable",
    finish_reason="stop",
    usage=events.Usage(input_tokens=12, output_tokens=3),
    total_ms=1900,
    cost_usd="0.000018",
)

ARCHITECT_COMMANDS: tuple[Message, ...] = (
    StartStep(owner=OWNER, run_id=RUN, step=STEP, turn=1),
    TimeIsUp(owner=OWNER, run_id=RUN, what="retry", step=STEP, turn=1),
)
ARCHITECT_FACTS: tuple[Message, ...] = (
    AssistantSavedFact(owner=OWNER, assistant_id=ASSISTANT, version=2, status="published", steps=3, revision=4),
    AssistantDeletedFact(owner=OWNER, assistant_id=ASSISTANT),
    ArchitectRunCreatedFact(
        owner=OWNER, run_id=RUN, assistant_id=ASSISTANT, assistant_version=2, steps=3, parent_run_id=PARENT
    ),
    ArchitectStepEndedFact(
        outcome="failed",
        owner=OWNER,
        run_id=RUN,
        step=STEP,
        attempts=2,
        model="demo-swift",
        error_code="provider_unavailable",
    ),
    ApprovalRequestedFact(owner=OWNER, run_id=RUN, step=STEP, notify="when_away"),
    ArchitectRunEndedFact(
        outcome="failed",
        owner=OWNER,
        run_id=RUN,
        assistant_id=ASSISTANT,
        assistant_version=2,
        completed=1,
        failed=1,
        skipped=1,
        cancelled=1,
        total_ms=61_000,
        cost_usd=Decimal("0.000018"),
        error_code="step_failed",
        notify="when_away",
    ),
)

_usage = TokenUsage(input_tokens=12, output_tokens=3, reasoning_tokens=2, cached_input_tokens=4)
_problem = Problem(code="provider_unavailable", message="The model server does not answer.")
_turns = (Turn(role="system", content="Be brief."), Turn(role="user", content="Sum up, kind: Hello"))
_decision = architect_values.Decision(approved=True, by="ada", comment="It is.", decided_at=ENDED)
_step = architect_values.RunStep(
    step=STEP,
    title="Summary",
    status="failed",
    depends_on=("draft",),
    model="demo-swift",
    provider="demo",
    attempts=1,
    generation=LANE,
    turns=_turns,
    output="Hello, Ada",
    reasoning="They greet me.",
    finish_reason="stop",
    reason="condition",
    error=_problem,
    on_error="skip",
    instructions="Is it polite?",
    decision=_decision,
    usage=_usage,
    cost_usd="0.000018",
    queued_ms=4,
    first_token_ms=310,
    total_ms=1900,
    next_attempt_at=ENDED,
    origin=architect_values.StepOrigin(run_id=PARENT, step=STEP),
    started_at=CREATED,
    ended_at=ENDED,
)
_assistant_run = architect_values.AssistantRun(
    id=RUN,
    assistant_id=ASSISTANT,
    assistant_version=2,
    name="Summaries",
    status="failed",
    done=1,
    total=3,
    running=(STEP,),
    waiting_for_approval=("letter",),
    inputs={"tone": "kind"},
    steps=(_step,),
    outputs={STEP: "Hello, Ada"},
    notify="when_away",
    parent_run_id=PARENT,
    error=_problem,
    usage=_usage,
    cost_usd="0.000018",
    created_at=CREATED,
    ended_at=ENDED,
)
_run = Run(
    id=RUN,
    kind="architect",
    status="failed",
    conversation_id="conv_01k3x9v4t2",
    message_id="msg_01k3x9v4t2",
    model="demo-swift",
    text="Hello, Ada",
    revealed=True,
    cost_usd="0.000018",
    error=_problem,
    created_at=CREATED,
    ended_at=ENDED,
)
_dry_step = architect_values.DryStep(
    step=STEP,
    title="Summary",
    model="demo-swift",
    turns=_turns,
    input_tokens=12,
    output_tokens=500,
    cost_usd="0.000512",
    problem=_problem,
)
_dry = architect_values.DryRun(steps=(_dry_step,), input_tokens=12, output_tokens=500, cost_usd="0.000512")
_started = architect_values.AssistantRunStarted(run_id=RUN, replayed=True)
_inputs: dict[str, Any] = {"tone": "kind", "points": ["a"], "paper": ["file_01k3x9v4t2"]}
_of_run: dict[str, Any] = {"owner": OWNER, "run_id": RUN}
_of_assistant: dict[str, Any] = {"owner": OWNER, "assistant_id": ASSISTANT}
_page: dict[str, Any] = {"limit": 50, "before": RUN}

_RUNS: tuple[tuple[Request[Any], Value], ...] = (
    (
        architect.StartAssistantRun(
            **_of_run, assistant_id=ASSISTANT, version=2, inputs=_inputs, notify="always", idempotency_key="7f3c"
        ),
        _started,
    ),
    (
        architect.ForkAssistantRun(
            **_of_run,
            parent_run_id=PARENT,
            step=STEP,
            inputs=_inputs,
            changes={STEP: StepChange(prompt="Sum up: ${text}", system="Be kind.", **ASKED)},
            notify="never",
            idempotency_key="7f3c",
        ),
        _started,
    ),
    (
        architect.TryAssistant(**_of_assistant, version=2, definition=DEFINITION, inputs=_inputs),
        _dry,
    ),
    (architect.GetAssistantRun(**_of_run), _assistant_run),
    (
        architect.ListAssistantRuns(**_of_assistant, **_page),
        architect_values.AssistantRunPage(items=(_assistant_run,), next=RUN),
    ),
    (architect.DeleteAssistantRun(**_of_run), Deleted()),
    (architect.DecideApproval(**_of_run, step=STEP, approved=True, comment="It is."), _assistant_run),
    (architect.CancelStep(**_of_run, step=STEP), _assistant_run),
    (architect.GetArchitectRun(**_of_run), _run),
    (architect.ListArchitectRuns(owner=OWNER, **_page), RunPage(items=(_run,), next=RUN)),
    (architect.CancelArchitectRun(**_of_run), _run),
    (
        architect.ReplayArchitectRun(**_of_run),
        StoredRun(run=_run, events=('{"type":"run.completed","lane":"run","at":1767225602000,"run_id":"arc_1"}',)),
    ),
)
ARCHITECT_EXCHANGES = (*ASSISTANT_EXCHANGES, *_RUNS)

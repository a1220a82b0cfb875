"""One example of every message on the bus: the single source of docs/bus.md, the golden files and the tests.

A message without an example here fails a test, so a new one is documented the day it is made.
"""

from decimal import Decimal
from typing import Any

from contracts import events
from contracts.architect_examples import ARCHITECT_COMMANDS, ARCHITECT_FACTS, STEP_EVENTS, STEP_PLAN, STEP_SUMMARY
from contracts.chat_facts import (
    ConversationCreatedFact,
    ConversationDeletedFact,
    MessageRatedFact,
    RunCreatedFact,
    RunEndedFact,
)
from contracts.compare_examples import COMPARE_FACTS
from contracts.content import Image, Tool, ToolChoice, ToolResult, ToolUse, Turn
from contracts.example_values import AT as AT
from contracts.example_values import CONVERSATION as CONVERSATION
from contracts.example_values import CREATED as CREATED
from contracts.example_values import ENDED as ENDED
from contracts.example_values import OWNER as OWNER
from contracts.example_values import REPLY as REPLY
from contracts.example_values import RUN as RUN
from contracts.generation import GenerateRequest, GenerationEnded, Parameters, Timeouts, TokenUsage
from contracts.ids import MAIN_LANE, RUN_LANE
from contracts.message import Message, Problem
from contracts.notifier_examples import NOTIFIER_FACTS

_ending: dict[str, Any] = {"lane": MAIN_LANE, "at": AT + 1900, "attempt": 1, "model": "demo-swift", "provider": "demo"}
_usage = events.Usage(input_tokens=12, output_tokens=3, reasoning_tokens=2, cached_input_tokens=4)
_guess = events.Usage(input_tokens=12, output_tokens=3, estimated=True)
_call = events.ToolCall("call_1", "weather", '{"city":"Oslo"}')
_timings = events.Timings(queued_ms=4, first_token_ms=310, total_ms=1900)
_costly: dict[str, Any] = {"usage": _usage, "timings": _timings, "cost_usd": "0.000018"}
_error = events.Error("provider_unavailable", "The model server does not answer.")

EVENTS: tuple[events.Event, ...] = (
    events.RunCreated(
        lane=RUN_LANE,
        at=AT,
        run_id=RUN,
        kind="chat",
        conversation_id=CONVERSATION,
        message_id=REPLY,
        parent_run_id="chat_01k3x9v4t1",
        omitted_messages=4,
        generations=(
            events.GenerationPlan(MAIN_LANE, "demo-swift", source=events.LaneSource("cmp_01k3x9v4t1", "lane_1")),
        ),
        blind=True,
        assistant_id="asst_01k3x9v4t2",
        assistant_version=2,
        name="Summaries",
        steps=(STEP_PLAN,),
    ),
    events.RunQueued(lane=RUN_LANE, at=AT, run_id=RUN, ahead=1),
    events.RunCompleted(
        lane=RUN_LANE,
        at=AT + 2000,
        run_id=RUN,
        ends=(events.LaneEnd("main", 5007),),
        lanes=(
            events.LaneSummary(
                lane="main",
                outcome="failed",
                model="demo-swift",
                provider="demo",
                finish_reason="stop",
                error_code="provider_unavailable",
                usage=_usage,
                timings=_timings,
                tokens_per_second=31.5,
                cost_usd="0.000018",
            ),
        ),
        steps=(STEP_SUMMARY,),
        usage=_usage,
        cost_usd="0.000018",
    ),
    events.RunFailed(lane=RUN_LANE, at=AT + 2000, run_id=RUN, error=_error, usage=_usage, cost_usd="0.000018"),
    events.RunCancelled(lane=RUN_LANE, at=AT + 2000, run_id=RUN, usage=_usage, cost_usd="0.000018"),
    events.GenerationStarted(lane=MAIN_LANE, at=AT + 4, attempt=1, model="demo-swift", provider="demo"),
    events.GenerationDelta(lane=MAIN_LANE, at=AT + 310, text="Hello"),
    events.GenerationReasoning(lane=MAIN_LANE, at=AT + 300, text="They greet me."),
    events.GenerationToolCall(
        lane=MAIN_LANE, at=AT + 400, call_id="call_1", name="weather", arguments='{"city":"Oslo"}'
    ),
    events.GenerationResumed(lane=MAIN_LANE, at=AT + 900, attempt=2, mode="prefill"),
    events.GenerationRestarted(lane=MAIN_LANE, at=AT + 900, attempt=2),
    events.GenerationAttached(lane=MAIN_LANE, at=AT + 300, attempt=1, reference="resp_68af0c"),
    events.GenerationSnapshot(
        lane=MAIN_LANE,
        at=AT + 900,
        attempt=1,
        model="demo-swift",
        provider="demo",
        covers=5004,
        text="Hello",
        reasoning="They greet me.",
        tool_calls=(_call,),
    ),
    events.GenerationCompleted(
        **_ending,
        **_costly,
        finish_reason="stop",
        text="Hello, Ada",
        reasoning="They greet me.",
        tool_calls=(_call,),
    ),
    events.GenerationFailed(**_ending, **_costly, error=_error, text="Hello", reasoning="They greet me."),
    events.GenerationCancelled(
        **_ending,
        usage=_guess,
        timings=_timings,
        cost_usd="0.000018",
        text_ref="runs/chat_01.main.1.text",
        reasoning_ref="runs/r",
    ),
    events.Notice(
        lane=MAIN_LANE,
        at=AT + 50,
        code="retrying",
        message="The model provider limits the rate of requests.",
        model="demo-swift",
        delay_ms=2000,
    ),
    *STEP_EVENTS,
    events.Reset(lane=RUN_LANE, at=AT, reason="The cursor belongs to a log that no longer exists."),
)

COMMANDS: tuple[Message, ...] = (
    GenerateRequest(
        owner=OWNER,
        run_id=RUN,
        lane=MAIN_LANE,
        model="demo-swift",
        messages=(
            Turn(role="system", content="Be brief."),
            Turn(role="user", content="Hello", images=(Image(media_type="image/png", data="iVBORw0KGgo="),)),
            Turn(role="assistant", tool_calls=(ToolUse(call_id="call_1", name="weather", arguments="{}"),)),
            Turn(role="tool", results=(ToolResult(call_id="call_1", name="weather", output="rain"),)),
        ),
        fallbacks=("demo-sage",),
        parameters=Parameters(
            temperature=0.2,
            top_p=0.9,
            max_tokens=500,
            stop=("END",),
            seed=7,
            presence_penalty=0.1,
            frequency_penalty=0.1,
            reasoning_effort="low",
            response_format={"type": "json_object"},
            tools=(Tool(name="weather", description="The weather now.", input_schema={"type": "object"}, strict=True),),
            tool_choice=ToolChoice(mode="function", name="weather"),
            parallel_tool_calls=False,
        ),
        timeouts=Timeouts(first_token_seconds=30, silence_seconds=20, total_seconds=600),
        requested_at=AT,
    ),
    *ARCHITECT_COMMANDS,
)

FACTS: tuple[Message, ...] = (
    GenerationEnded(
        outcome="completed",
        owner=OWNER,
        run_id=RUN,
        lane=MAIN_LANE,
        sequence=1234,
        model="demo-swift",
        provider="demo",
        attempt=1,
        finish_reason="stop",
        error_code="provider_unavailable",
        usage=TokenUsage(input_tokens=12, output_tokens=3, reasoning_tokens=2, cached_input_tokens=4),
        cost_usd=Decimal("0.000018"),
        queued_ms=4,
        first_token_ms=310,
        total_ms=1900,
    ),
    RunCreatedFact(owner=OWNER, run_id=RUN, conversation_id=CONVERSATION, model="demo-swift"),
    RunEndedFact(
        outcome="failed",
        owner=OWNER,
        run_id=RUN,
        conversation_id=CONVERSATION,
        message_id_stored=REPLY,
        model="demo-swift",
        error_code="provider_unavailable",
        total_ms=1900,
        notify="when_away",
    ),
    ConversationCreatedFact(owner=OWNER, conversation_id=CONVERSATION),
    ConversationDeletedFact(owner=OWNER, conversation_id=CONVERSATION),
    MessageRatedFact(
        owner=OWNER,
        conversation_id=CONVERSATION,
        message=REPLY,
        run_id=RUN,
        model="demo-swift",
        rating="up",
        rated_at=1_767_225_603_000,
    ),
    *COMPARE_FACTS,
    *ARCHITECT_FACTS,
    *NOTIFIER_FACTS,
)

PROBLEM = Problem(code="unknown_run", message="There is no such run.")
"""What any request may be answered with instead of its result."""

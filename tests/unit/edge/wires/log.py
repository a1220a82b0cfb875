"""The log of a run, as wires are told it."""

from typing import Any

from contracts import events
from contracts.events import ToolCall, Usage

RUN = "chat_0123456789abcdefghjkmnpqrs"
SUFFIX = RUN.removeprefix("chat_")
AT = 1_795_449_665_292
USAGE = Usage(input_tokens=7, output_tokens=5, reasoning_tokens=2, cached_input_tokens=3)


def created(model: str = "m/one") -> events.Event:
    plan = (events.GenerationPlan("main", model),)
    return events.RunCreated(lane="run", at=AT, run_id=RUN, kind="chat", generations=plan)


def started(attempt: int = 1) -> events.Event:
    return events.GenerationStarted(lane="main", at=AT, attempt=attempt, model="m/one", provider="p")


def said(*texts: str) -> list[events.Event]:
    return [events.GenerationDelta(lane="main", at=AT, text=text) for text in texts]


def thought(*texts: str) -> list[events.Event]:
    return [events.GenerationReasoning(lane="main", at=AT, text=text) for text in texts]


def called(number: int = 1, arguments: str = '{"city": "Köln"}') -> events.Event:
    return events.GenerationToolCall(lane="main", at=AT, call_id=f"call_{number}", name="weather", arguments=arguments)


def call(number: int = 1, arguments: str = '{"city": "Köln"}') -> ToolCall:
    return ToolCall(f"call_{number}", "weather", arguments)


def restarted(attempt: int = 2) -> events.Event:
    return events.GenerationRestarted(lane="main", at=AT, attempt=attempt)


def resumed(attempt: int = 2) -> events.Event:
    return events.GenerationResumed(lane="main", at=AT, attempt=attempt, mode="prefill")


def notice() -> events.Event:
    return events.Notice(lane="main", at=AT, code="retrying", message="…", delay_ms=5)


def snapshot(text: str, **fields: Any) -> events.Event:
    common = {"lane": "main", "at": AT, "attempt": 1, "model": "m/one", "provider": "p", "covers": 3}
    return events.GenerationSnapshot(**common, text=text, **fields)


def completed(text: str, reason: Any = "stop", **fields: Any) -> list[events.Event]:
    """The endings of an answer and of its run."""
    common: dict[str, Any] = {"lane": "main", "at": AT, "attempt": 1, "model": "m/one", "usage": USAGE}
    ending = events.GenerationCompleted(**common, provider="p", finish_reason=reason, text=text or None, **fields)
    return [ending, events.RunCompleted(lane="run", at=AT + 1500, run_id=RUN)]


def failed(text: str = "", code: str = "provider_unavailable") -> list[events.Event]:
    error = events.Error(code, "It is broken.")
    ending = events.GenerationFailed(lane="main", at=AT, attempt=1, model="m/one", text=text or None, error=error)
    return [ending, events.RunFailed(lane="run", at=AT + 1500, run_id=RUN, error=error)]


def cancelled(text: str) -> list[events.Event]:
    ending = events.GenerationCancelled(lane="main", at=AT, attempt=1, model="m/one", text=text or None, usage=USAGE)
    return [ending, events.RunCancelled(lane="run", at=AT + 1500, run_id=RUN)]

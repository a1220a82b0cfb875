"""What a run of an assistant must come to, computed one step after another by a plain interpreter.

Written from the rules alone: it shares no code with the product, has no bus, no clock and no parallel steps. Where a
run stops because of a failed step it depends on the moment how far the others got: `Evaluation.sure` says of which
steps the outcome is certain all the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.assistant import Definition, Step
from tests.assistants import hashing
from tests.assistants.hashing import Message
from tests.assistants.variables import Lookup, fill, holds

WORKER_CALLS = 4
"""Of one model for one answer, when it refuses in a way that may pass (STUDIO_INFERENCE_RETRIES + 1)."""
PATIENCE_SECONDS = 30
"""A model that asks for more is not asked again (STUDIO_INFERENCE_RETRY_MAX_SECONDS)."""


@dataclass
class Stepped:
    """How one step ends."""

    outcome: str
    output: str = ""
    turns: tuple[Message, ...] = ()
    attempts: int = 0
    model: str | None = None
    reason: str | None = None
    code: str | None = None
    """Of its error, where the rules name one."""


@dataclass
class Evaluation:
    """How the run ends."""

    steps: dict[str, Stepped] = field(default_factory=dict)
    sure: set[str] = field(default_factory=set)
    outcome: str = ""
    code: str | None = None
    calls: dict[str, int] = field(default_factory=dict)
    """Of the model, by step, if no worker dies."""

    def outputs(self, definition: Definition) -> dict[str, str]:
        """Of the last steps."""
        return {name: self.steps[name].output for name in self.lasts(dependencies(definition.steps))}

    def lasts(self, needs: Mapping[str, Sequence[str]]) -> list[str]:
        """The steps that no other depends on which was wanted. Ruled out by a condition, none is."""
        wanted = [name for name in needs if self.steps[name].reason not in ("condition", "dependencies_skipped")]
        needed = {need for name in wanted for need in needs[name]}
        return [name for name in wanted if name not in needed]


def dependencies(steps: Sequence[Step]) -> dict[str, tuple[str, ...]]:
    """What each step depends on."""
    found: dict[str, tuple[str, ...]] = {}
    positions = sorted({step.position for step in steps if step.position is not None})
    for place, step in enumerate(steps):
        if step.depends_on is not None:
            found[step.name] = step.depends_on
        elif positions:
            lower = [position for position in positions if step.position is not None and position < step.position]
            found[step.name] = tuple(other.name for other in steps if lower and other.position == lower[-1])
        else:
            found[step.name] = (steps[place - 1].name,) if place else ()
    return found


def before(needs: Mapping[str, Sequence[str]], name: str) -> set[str]:
    """All that a step depends on, also indirectly."""
    return {each for need in needs[name] for each in ({need} | before(needs, need))}


def after(needs: Mapping[str, Sequence[str]], name: str) -> set[str]:
    """All that depends on a step, also indirectly."""
    return {other for other in needs if name in before(needs, other)}


def evaluate(
    definition: Definition, inputs: Mapping[str, Any], approvals: Mapping[str, bool | None] | None = None
) -> Evaluation:
    """`approvals`: what is said to each step that wants it; none: nobody decides in time; absent: yes."""
    interpreter = _Interpreter(definition, inputs, approvals or {})
    return interpreter.run()


class _Interpreter:
    def __init__(self, definition: Definition, inputs: Mapping[str, Any], approvals: Mapping[str, bool | None]) -> None:
        self._steps = {step.name: step for step in definition.steps}
        self._needs = dependencies(definition.steps)
        self._approvals = approvals
        self._inputs = {each.name: inputs.get(each.name, each.default) for each in definition.fields}
        self._found = Evaluation()

    def run(self) -> Evaluation:
        found, left = self._found, list(self._steps)
        while left:
            name = next(name for name in left if all(need in found.steps for need in self._needs[name]))
            left.remove(name)
            found.steps[name] = self._skipped(name) or self._taken(self._steps[name])
        self._conclude()
        return found

    def _conclude(self) -> None:
        found = self._found
        stops = [
            name for name, step in found.steps.items() if step.outcome == "failed" and self._policy(name) == "stop"
        ]
        found.sure = set(self._steps)
        if not stops:
            lasts = found.lasts(self._needs)
            done = not lasts or any(found.steps[name].outcome == "completed" for name in lasts)
            found.outcome, found.code = ("completed", None) if done else ("failed", "no_output")
            return
        found.outcome, found.code = "failed", "step_failed"
        later = {each for stop in stops for each in after(self._needs, stop)}
        for name in later:
            found.steps[name] = Stepped("skipped", reason="run_stopped")
            found.calls.pop(name, None)
        earlier = set.intersection(*(before(self._needs, stop) for stop in stops))
        found.sure = later | earlier | (set(stops) if len(stops) == 1 else set())

    def _policy(self, name: str) -> str:
        return self._steps[name].on_error

    def _skipped(self, name: str) -> Stepped | None:
        needs = [(need, self._found.steps[need]) for need in self._needs[name]]
        if any(step.outcome == "failed" and self._policy(need) == "skip" for need, step in needs) or any(
            step.reason == "dependency_failed" for _, step in needs
        ):
            return Stepped("skipped", reason="dependency_failed")
        if needs and all(step.outcome == "skipped" for _, step in needs):
            return Stepped("skipped", reason="dependencies_skipped")
        return None

    def _taken(self, step: Step) -> Stepped:
        ended = {
            name: {"output": each.output, "status": each.outcome, "error": ""}
            for name, each in self._found.steps.items()
            if name in before(self._needs, step.name)
        }
        lookup = Lookup(self._inputs, ended, step.inputs)
        if step.condition is not None and not holds(step.condition, lookup):
            return Stepped("skipped", reason="condition")
        decision = self._approvals.get(step.name, True) if step.approval else True
        if not decision:
            code = "approval_timed_out" if decision is None else "approval_rejected"
            return Stepped("failed", code=code)
        turns = (*self._system(step, lookup), *self._history(step), ("user", fill(step.prompt, lookup)))
        return self._asked(step, turns)

    def _system(self, step: Step, lookup: Lookup) -> tuple[Message, ...]:
        system = fill(step.system, lookup)
        return (("system", system),) if system else ()

    def _history(self, step: Step) -> tuple[Message, ...]:
        """The question and the answer of each step before it that has said anything."""
        if not step.history:
            return ()
        ancestors = before(self._needs, step.name)
        earlier = [self._found.steps[name] for name in self._steps if name in ancestors]
        said = [step for step in earlier if step.turns and step.output]
        return tuple(turn for step in said for turn in (step.turns[-1], ("assistant", step.output)))

    def _asked(self, step: Step, turns: tuple[Message, ...]) -> Stepped:
        called: dict[str, int] = {}
        said, model, attempt = hashing.Said(""), step.model, 0
        for attempt in range(1, step.retries + 2):
            for model in (step.model, *step.fallbacks):
                said = _answered(turns, model, called)
                if said.manner == "whole" or said.text:
                    break  # nobody wants an answer that begins as one model's and ends as another's
            self._found.calls[step.name] = sum(called.values())
            if said.manner == "whole":
                return Stepped("completed", said.text, turns, attempt, model)
            if _hopeless(said):
                break
        return Stepped("failed", said.text, turns, attempt, model)


def _hopeless(said: hashing.Said) -> bool:
    """The same question would meet the same refusal."""
    return said.manner == "broken" or (said.manner == "refused" and said.status < 500 and said.status != 429)


def _answered(turns: tuple[Message, ...], model: str, called: dict[str, int]) -> hashing.Said:
    """What a worker gets of one model, that it asks more than once if that may help."""
    order = hashing.order_of(turns)
    text = ""
    for _ in range(WORKER_CALLS):
        said = hashing.say(turns, model, called.get(model, 0))
        called[model] = called.get(model, 0) + 1
        text = max(text, said.text, key=len)
        again = said.manner == "cut" or (said.manner == "refused" and order.after <= PATIENCE_SECONDS)
        if not again or _hopeless(said):
            return said._replace(text=text)
    return said._replace(text=text)

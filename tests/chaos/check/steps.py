"""Holding a run of an assistant against the reference: values in, violations out."""

from typing import Any

from contracts.assistant import Definition
from tests.assistants.reference import Evaluation
from tests.chaos.check.verdict import Verdict
from tests.chaos.client.view import difference

STOPPED = ("cancelled", "skipped", "failed")
"""What a step may be at which a run was stopped; failed, if it would have been tried again."""


def judge(verdict: Verdict, run: dict[str, Any], wanted: Evaluation, definition: Definition) -> None:
    """The run as it is stored: each step's outcome, question and answer. How often a step was tried is not held
    against it: a worker that was killed may have called for nothing.
    """
    ended = run["status"], (run["error"] or {}).get("code")
    if ended != (wanted.outcome, wanted.code):
        verdict.violated("ending", f"it is {ended}, and must be {wanted.outcome} {wanted.code}")
    if (run["done"], run["total"]) != (len(definition.steps), len(definition.steps)):
        verdict.violated("ending", f"{run['done']} of {run['total']} steps have ended")
    for step in run["steps"]:
        _step(verdict, step, wanted, step["step"] in wanted.sure)


def _step(verdict: Verdict, step: dict[str, Any], wanted: Evaluation, sure: bool) -> None:
    name, output = step["step"], step["output"] or ""
    must = wanted.steps[name]
    if not sure:  # the run was stopped while this step was at it, or before, or after
        if step["status"] not in (must.outcome, *STOPPED) or not must.output.startswith(output):
            verdict.violated("lost", f"{name} is {step['status']}: {difference(must.output, output)}")
        return
    seen = step["status"], step["reason"]
    if seen != (must.outcome, must.reason):
        verdict.violated("ending", f"{name} is {seen}, and must be {must.outcome} {must.reason}; {step['error']}")
    if output != must.output:
        verdict.violated("lost", f"{name}: {difference(must.output, output)}")
    turns = tuple((turn["role"], turn["content"]) for turn in step["turns"])
    if turns != must.turns:
        verdict.violated("lost", f"{name} asked {turns}, and must ask {must.turns}")
    if must.code and step["error"]["code"] != must.code:
        verdict.violated("ending", f"{name} failed with {step['error']}, and must with {must.code}")

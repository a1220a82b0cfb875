"""What a run would ask and cost, without asking: values in, values out."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from contracts import events
from contracts.architect_values import DryRun, DryStep
from contracts.assistant import Definition, Step
from contracts.content import Turn
from contracts.costs import CHARACTERS_PER_TOKEN, Prices, cost_usd
from contracts.message import Problem
from kit.orchestrate.window import misfit, tokens_of, window_of
from kit.refusal import Refused
from kit.settings import ArchitectSettings
from services.architect import graph
from services.architect.rendering import Done, render

Cards = Mapping[str, dict[str, Any]]
Ended = dict[str, Done]


def dry_run(definition: Definition, values: Mapping[str, Any], cards: Cards, limits: ArchitectSettings) -> DryRun:
    """Every step of a resolved definition, as if all were answered. `cards`: the models that are offered, by id.

    Answers are counted as long as they may be, and shown by a mark.
    """
    steps = {step.name: step for step in definition.steps}
    marked: Ended = {}
    long: Ended = {}
    dry: dict[str, DryStep] = {}
    for name in graph.ordered(graph.dependencies(definition.steps)):
        dry[name] = made = _step(steps[name], definition.steps, values, (marked, long), cards, limits)
        marked[name] = Done(f"⟨output of {name}⟩", "completed", turns=made.turns[-1:])
        characters = min(made.output_tokens * CHARACTERS_PER_TOKEN, limits.max_rendered_characters)
        long[name] = Done("x" * characters, "completed", turns=made.turns[-1:])
    told = tuple(dry[name] for name in steps)
    costs = [step.cost_usd for step in told]
    return DryRun(
        steps=told,
        input_tokens=sum(step.input_tokens for step in told),
        output_tokens=sum(step.output_tokens for step in told),
        cost_usd=None if None in costs else format(sum(map(Decimal, filter(None, costs)), Decimal()), "f"),
    )


def _step(
    step: Step,
    steps: Sequence[Step],
    values: Mapping[str, Any],
    done: tuple[Ended, Ended],
    cards: Cards,
    limits: ArchitectSettings,
) -> DryStep:
    """One step; `done`: the steps before with the marks that are shown, and as long as they may be."""
    card = cards.get(step.model, {})
    output = step.parameters.max_tokens or limits.dry_run_output_tokens
    output = min(output, card.get("max_output_tokens") or output)
    turns, problem = _turns(step, steps, values, done[0], limits)
    long, _ = _turns(step, steps, values, done[1], limits)
    usage = events.Usage(input_tokens=tokens_of(long or turns), output_tokens=output)
    prices = _prices(card)
    return DryStep(
        step=step.name,
        title=step.title or step.name,
        model=step.model,
        turns=turns,
        input_tokens=usage.input_tokens,
        output_tokens=output,
        cost_usd=format(cost_usd(prices, usage), "f") if prices else None,
        problem=_unknown(step, cards) or problem or _too_long(step, turns, card),
    )


def _turns(
    step: Step, steps: Sequence[Step], values: Mapping[str, Any], done: Ended, limits: ArchitectSettings
) -> tuple[tuple[Turn, ...], Problem | None]:
    try:
        return render(step, steps, values, done, limits.max_rendered_characters), None
    except Refused as refusal:
        return (), refusal.problem


def _unknown(step: Step, cards: Cards) -> Problem | None:
    for model in (step.model, *step.fallbacks):
        if model not in cards:
            return Problem(code="unknown_model", message=f"There is no model {model!r}.")
    return None


def _too_long(step: Step, turns: tuple[Turn, ...], card: dict[str, Any]) -> Problem | None:
    error = misfit(turns, window_of(card), step.parameters)
    return Problem(code=error.code, message=error.message) if error else None


def _prices(card: dict[str, Any]) -> Prices | None:
    told = card.get("prices") or {}
    try:
        return Prices.model_validate({name: told[name] for name in Prices.model_fields if name in told})
    except ValidationError:
        return None

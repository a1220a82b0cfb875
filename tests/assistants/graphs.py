"""Assistants for proofs: twelve steps with everything in them, and others made by chance."""

import random
from typing import Any, Literal

from contracts.assistant import Approval, Choice, Definition, InputField, Step
from tests.assistants.hashing import CONTINUE, MODELS, PREFILL, RESTART

Policy = Literal["stop", "skip", "continue"]

FIELDS = (
    InputField(name="mark", kind="short_text"),
    InputField(name="topic", kind="long_text"),
    InputField(name="tone", kind="select", default="dry", choices=(Choice(value="dry"), Choice(value="formal"))),
    InputField(name="points", kind="multi_select", choices=tuple(Choice(value=each) for each in "abc")),
    InputField(name="note", kind="long_text", required=False),
)
IMPATIENT = "after=600"
"""With a refusal: longer than any worker waits."""


def inputs(mark: str, **more: Any) -> dict[str, Any]:
    """Of any assistant here. The topic has what must not be taken for a variable or an order."""
    topic = "rivers, ${tone} and {{mark}} as they are, [[words=1]] too"
    return {"mark": mark, "topic": topic, "points": ["c", "a"], "tone": "formal", **more}


def order(step: str, said: str = "", *, rate: float = 400.0) -> str:
    """The first line of a step's prompt."""
    return f"[[mark=${{mark}} step={step} rate={rate:g} {said}]]\n".replace(" ]]", "]]")


def twelve(policy: Policy, *, rate: float = 400.0) -> Definition:
    """Three branches that meet, a failing step under a policy, a gate, a condition both ways, a retry, a fallback."""

    def asks(name: str, prompt: str, said: str = "words=20") -> dict[str, Any]:
        return {"name": name, "prompt": order(name, said, rate=rate) + prompt}

    steps = (
        Step(**asks("outline", "Outline ${topic}."), model=PREFILL, depends_on=(), system="Be {{tone}}."),
        Step(**asks("facts", "Facts about {{inputs.topic}}: ${points}."), model=CONTINUE, depends_on=()),
        Step(**asks("quotes", "Quotes, ${note}never \\${topic}.", "words=40"), model=RESTART, depends_on=()),
        Step(
            **asks("draft", "Draft of {{outline.output}} with ${steps.facts.output}", "words=30 cut=7 times=4"),
            model=PREFILL,
            retries=2,
            depends_on=("outline", "facts"),
        ),
        Step(
            **asks("critique", "Compare ${text} to ${quotes.output}", f"words=25 refuse=503 {IMPATIENT} on={CONTINUE}"),
            model=CONTINUE,
            fallbacks=(RESTART,),
            retries=0,
            depends_on=("draft", "quotes"),
            inputs={"text": "draft.output"},
        ),
        Step(
            **asks("failing", "This fails: ${outline.output}", "words=30 broken=9"),
            model=PREFILL,
            retries=0,
            depends_on=("outline",),
            on_error=policy,
        ),
        Step(
            **asks("after_failing", "It was ${failing.status}: ${failing.output}."),
            model=RESTART,
            depends_on=("failing",),
        ),
        Step(
            **asks("gate", "Approved: ${critique.output}"),
            model=CONTINUE,
            depends_on=("critique",),
            approval=Approval(instructions="Is it kind?"),
        ),
        Step(
            **asks("formal", "Formally: ${gate.output}"),
            model=PREFILL,
            depends_on=("gate",),
            condition="tone == 'formal'",
        ),
        Step(
            **asks("casual", "Casually: ${gate.output}"),
            model=PREFILL,
            depends_on=("gate",),
            condition="tone == 'dry'",
        ),
        Step(
            **asks("both", "${formal.status}: ${formal.output}, ${casual.status}: ${casual.output}."),
            model=CONTINUE,
            depends_on=("formal", "casual"),
            history=True,
        ),
        Step(**asks("summary", "Sum up {{both.output}}"), model=PREFILL, depends_on=("both",), system="${both.status}"),
    )
    return Definition(fields=FIELDS, steps=steps)


def chain(names: list[str], said: str = "words=10", *, rate: float = 400.0) -> Definition:
    """One after another, each with what the one before said."""
    steps = [
        Step(
            name=name,
            model=PREFILL,
            prompt=order(name, said, rate=rate) + (f"${{{names[place - 1]}.output}}" if place else "${topic}"),
        )
        for place, name in enumerate(names)
    ]
    return Definition(fields=FIELDS, steps=tuple(steps))


_TROUBLES = (
    *(("", 0), ("", 1), ("", 2), ("", 1)),
    *(("broken=3", 1), ("refuse=400", 1), ("cut=4 times=4", 1), (f"refuse=503 {IMPATIENT} times=1", 2)),
)
"""With the retries of the step. Those that pass do so also when a worker that is killed has called for nothing."""


def by_chance(dice: random.Random, *, steps: int = 12, rate: tuple[float, float] = (20.0, 60.0)) -> Definition:
    """A graph that nobody thought of: any step may depend on any before it, fail, be retried or skipped."""
    made: list[Step] = []
    for place in range(steps):
        name, earlier = f"step{place}", [step.name for step in made]
        needs = tuple(each for each in earlier if each in dice.sample(earlier, min(len(earlier), dice.randint(0, 3))))
        trouble, retries = dice.choice(_TROUBLES)
        model, fallback, _ = dice.sample(MODELS, 3)
        said = f"words={dice.randint(5, 60)} {trouble}"
        prompt = order(name, said, rate=round(dice.uniform(*rate), 1))
        prompt += " ".join(f"{need}: ${{{need}.output}} {{{{{need}.status}}}}" for need in needs) or "${topic}"
        made.append(
            Step(
                name=name,
                prompt=prompt,
                model=model,
                fallbacks=(fallback,) if not trouble and dice.random() < 0.3 else (),
                retries=retries,
                depends_on=needs,
                on_error=dice.choice(("skip", "continue")),
                condition=dice.choice(("tone == 'formal'", "tone != 'formal'")) if dice.random() < 0.2 else None,
                approval=Approval() if dice.random() < 0.1 else None,
            )
        )
    return Definition(fields=FIELDS, steps=tuple(made))

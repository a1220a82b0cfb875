"""Which step comes before which: values in, values out."""

from collections.abc import Iterator, Mapping, Sequence

from contracts.assistant import Step

Before = Mapping[str, Sequence[str]]
"""By step: those that it depends on."""


def dependencies(steps: Sequence[Step]) -> dict[str, tuple[str, ...]]:
    """What every step depends on: what it says, else the steps of the position before, else the one before it."""
    positions = sorted({step.position for step in steps if step.position is not None})
    found: dict[str, tuple[str, ...]] = {}
    for place, step in enumerate(steps):
        if step.depends_on is not None:
            found[step.name] = step.depends_on
        elif positions:
            lower = [position for position in positions if step.position is not None and position < step.position]
            found[step.name] = tuple(other.name for other in steps if lower and other.position == lower[-1])
        else:
            found[step.name] = (steps[place - 1].name,) if place else ()
    return found


def cycles(before: Before) -> Iterator[tuple[str, ...]]:
    """Rings of steps that wait for each other: one at least, if there is no order for all."""
    finished: set[str] = set()
    for start in before:
        path: list[str] = []
        name: str | None = start
        trail = [iter((start,))]
        while trail:
            name = next(trail[-1], None)
            if name is None:
                trail.pop()
                if path:
                    finished.add(path.pop())
            elif name in path:
                yield tuple(path[path.index(name) :])
            elif name not in finished and name in before:
                path.append(name)
                trail.append(iter(before[name]))


def ordered(before: Before) -> list[str]:
    """All steps, each after what it depends on; otherwise as they are listed. There is no ring among them."""
    order: dict[str, None] = {}
    waiting = list(before)
    while waiting:
        ready = next(name for name in waiting if all(other in order for other in before[name]))
        order[ready] = None
        waiting.remove(ready)
    return list(order)


def all_before(before: Before) -> dict[str, frozenset[str]]:
    """By step: all that it depends on, also indirectly. There is no ring among them."""
    found: dict[str, frozenset[str]] = {}
    for name in ordered(before):
        found[name] = frozenset(before[name]).union(*(found[other] for other in before[name]))
    return found


def ancestors(steps: Sequence[Step]) -> dict[str, frozenset[str]]:
    """By step: all that it depends on, also indirectly."""
    return all_before(dependencies(steps))


def descendants(steps: Sequence[Step], name: str) -> set[str]:
    """All steps that depend on this one, also indirectly; itself not among them."""
    return {other for other, before in ancestors(steps).items() if name in before}


def final_steps(steps: Sequence[Step]) -> list[str]:
    """The steps that no other depends on, as they are listed."""
    before = dependencies(steps)
    needed = {name for names in before.values() for name in names}
    return [step.name for step in steps if step.name not in needed]

"""Which step comes before which."""

import random
from itertools import pairwise

import pytest

from contracts.assistant import Step
from services.architect import graph
from tests.unit.architect.assistants import listed, random_steps, step


@pytest.mark.parametrize(
    ("steps", "before"),
    [
        ([listed("a"), listed("b"), listed("c")], {"a": (), "b": ("a",), "c": ("b",)}),
        (
            [listed("a", position=3), listed("b", position=7), listed("c", position=3), listed("d", position=9)],
            {"a": (), "b": ("a", "c"), "c": (), "d": ("b",)},
        ),
        (
            [listed("a", position=1), step("b", position=1), step("c", "b"), listed("d", position=2)],
            {"a": (), "b": (), "c": ("b",), "d": ("a", "b")},
        ),
        ([step("a"), step("b"), listed("c")], {"a": (), "b": (), "c": ("b",)}),
    ],
)
def test_what_a_step_depends_on(steps: list[Step], before: dict[str, tuple[str, ...]]) -> None:
    assert graph.dependencies(steps) == before


@pytest.mark.parametrize("seed", range(40))
def test_any_graph_without_rings_has_an_order_that_respects_it(seed: int) -> None:
    steps = random_steps(random.Random(seed))
    before = graph.dependencies(steps)
    assert list(graph.cycles(before)) == []
    order = graph.ordered(before)
    assert sorted(order) == sorted(before)
    assert all(order.index(other) < order.index(name) for name, others in before.items() for other in others)


@pytest.mark.parametrize("seed", range(40))
def test_ancestors_and_descendants_are_the_reach_of_the_arrows(seed: int) -> None:
    luck = random.Random(seed)
    steps = random_steps(luck)
    before = graph.dependencies(steps)

    def reach(name: str) -> set[str]:
        return {name}.union(*(reach(other) for other in before[name])) if before[name] else {name}

    ancestors = graph.ancestors(steps)
    assert ancestors == {name: reach(name) - {name} for name in before}
    one = luck.choice(steps).name
    assert graph.descendants(steps, one) == {name for name in before if one in ancestors[name]}
    assert graph.final_steps(steps) == [each.name for each in steps if not graph.descendants(steps, each.name)]


@pytest.mark.parametrize("seed", range(40))
def test_a_ring_is_found_and_named(seed: int) -> None:
    luck = random.Random(seed)
    steps = [each for each in random_steps(luck) if each.depends_on]
    before = {**graph.dependencies(steps), "first": ("third",), "second": ("first",), "third": ("second",)}
    names = list(before)
    luck.shuffle(names)
    rings = list(graph.cycles({name: before[name] for name in names}))
    assert [set(ring) for ring in rings] == [{"first", "second", "third"}]
    assert all(after in before[name] for name, after in pairwise((*rings[0], rings[0][0])))


def test_a_long_chain_is_no_matter_of_recursion() -> None:
    before = {f"s{number}": (f"s{number + 1}",) for number in range(2_000)} | {"s2000": ()}
    assert list(graph.cycles(before)) == []
    assert len(next(graph.cycles(before | {"s2000": ("s0",)}))) == 2_001

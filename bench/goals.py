"""The goals the product must reach, and whether it did.

A goal in ms counts only over rounds in which `direct` itself was quick (p99 < 2 ms): on a machine that is busy with
something else, only ratios to a peer of the same round say anything.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from bench.measurements import HerdRow, Measurements
from bench.rows import Row, medians
from bench.statistics import median
from bench.tables import Table, number

DIRECT = "direct"
PRODUCT = "product"
LITELLM = "litellm"
AISDK = "aisdk"
UNFENCED = "unfenced"
QUIET_P99_MS = 2.0


@dataclass(frozen=True, slots=True)
class Goal:
    """`measure` gives the value to compare with `must`, or NaN when it was not measured."""

    text: str
    must: float
    unit: str
    measure: Callable[[Measurements], float]
    at_least: bool = False


def quiet(found: Measurements, scenario: str) -> set[int]:
    """The rounds in which the machine had time for us."""
    return {row.round for row in found.of(scenario, DIRECT) if row.p99 < QUIET_P99_MS}


def added(found: Measurements, scenario: str, target: str, name: str, *, only: set[int] | None = None) -> float:
    """The median over the rounds of: this target minus `direct` in the same round."""
    base = {row.round: getattr(row, name) for row in found.of(scenario, DIRECT)}
    rows = [row for row in found.of(scenario, target) if row.round in base and (only is None or row.round in only)]
    return median(getattr(row, name) - base[row.round] for row in rows)


def _added(scenario: str, name: str) -> Callable[[Measurements], float]:
    return lambda found: added(found, scenario, PRODUCT, name, only=quiet(found, scenario))


def _value(scenario: str, name: str) -> Callable[[Measurements], float]:
    def measure(found: Measurements) -> float:
        rounds = quiet(found, scenario)
        return median(getattr(row, name) for row in found.of(scenario, PRODUCT) if row.round in rounds)

    return measure


def ratio(found: Measurements, scenario: str, name: str, peer: str) -> float:
    """The median over the rounds of: the product through another target in the same round."""
    peers = {row.round: getattr(row, name) for row in found.of(scenario, peer)}
    rows = found.of(scenario, PRODUCT)
    return median(getattr(row, name) / peers[row.round] for row in rows if peers.get(row.round))


def _ratio(scenario: str, name: str, peer: str) -> Callable[[Measurements], float]:
    return lambda found: ratio(found, scenario, name, peer)


def _ceiling(peer: str) -> Callable[[Measurements], float]:
    def measure(found: Measurements) -> float:
        by_target = {row.target: row.tokens_per_second for row in found.ceilings}
        return by_target.get(PRODUCT, math.nan) / (by_target.get(peer) or math.nan)

    return measure


def _memory(found: Measurements) -> float:
    return median(row.per_stream for row in found.memory if row.target == PRODUCT)


def _start(found: Measurements) -> float:
    return median(row.first_token for row in found.starts if row.target == PRODUCT and row.kind == "warm")


def _herd(name: str) -> Callable[[Measurements], float]:
    return lambda found: median(getattr(row, name) for row in found.herds)


def _readers(found: Measurements) -> float:
    """Beside clients that never read: the p99 through what it may be, the worse one of the whole and the steady."""
    return median(
        max(median(row.beside_p99) / row.interval[1], median(row.beside_steady_p99) / row.steady_interval[1])
        for row in found.readers
    )


def _lanes(found: Measurements) -> float:
    """The fastest lane's first token through the upper end of where single runs lie."""
    return median(row.fastest_p50 / row.interval[1] for row in found.lanes)


def _damage(found: Measurements) -> float:
    """Tokens lost, there twice or out of order, and streams failed, over everything the product was asked."""
    everything: list[Row | HerdRow] = [*found.rows, *found.herds]
    rows = [row for row in everything if row.target == PRODUCT]
    if not rows:
        return math.nan
    return sum(row.lost + row.duplicated + row.out_of_order + row.failed for row in rows)


GOALS = (
    Goal("tokens lost, duplicated or out of order, streams failed", 0, "", _damage),
    Goal("added token latency p50, 100 streams at 50 tok/s", 1.5, "ms", _added("c100", "p50")),
    Goal("token p99 there, steady window", 20, "ms", _value("c100", "steady_p99")),
    Goal("added time to first token p50, 1 stream", 12, "ms", _added("c1", "first_token_p50")),
    Goal("added time to first token p50, 20 streams", 10, "ms", _added("c20", "first_token_p50")),
    Goal("CPU per token, 100 streams, against the AI SDK", 0.6, "×", _ratio("c100", "cpu_per_million", AISDK)),
    Goal("CPU per token, 100 streams, against LiteLLM", 0.22, "×", _ratio("c100", "cpu_per_million", LITELLM)),
    Goal("CPU per run start against LiteLLM", 0.12, "×", _ratio("runs", "cpu_ms_per_run", LITELLM)),
    Goal("highest tok/s per core against LiteLLM", 7, "×", _ceiling(LITELLM), at_least=True),
    Goal("highest tok/s per core against the AI SDK", 3.5, "×", _ceiling(AISDK), at_least=True),
    Goal("1 000 streams at 10 tok/s: token p99", 100, "ms", _value("c1000", "p99")),
    Goal("1 000 streams at 10 tok/s: added TTFT p99 (an aim)", 200, "ms", _added("c1000", "first_token_p99")),
    Goal("1 000 reconnects at once: everybody served after", 3, "s", _herd("served_max")),
    Goal("1 000 reconnects at once: live token p99", 100, "ms", _herd("live_p99")),
    Goal("2 000 clients that never read: p99 of others, of the highest without them", 1, "×", _readers),
    Goal("8 lanes: first token of the fastest, of the highest of 95 % of single runs", 1, "×", _lanes),
    Goal("memory per concurrent stream", 0.15, "MiB", _memory),
    Goal("start of the local stack, warm, to the first token", 15, "s", _start),
)


def verdict(goal: Goal, found: Measurements) -> tuple[str, str]:
    """The measured value and what follows from it."""
    value = goal.measure(found)
    if math.isnan(value):
        return "-", "not measured, or no quiet round"
    good = value >= goal.must if goal.at_least else value <= goal.must
    ratio = value / goal.must if goal.must else value
    return f"{number(value)} {goal.unit}".strip(), f"{'pass' if good else 'FAIL'} ({number(ratio)} of the limit)"


def goals_table(found: Measurements) -> Table:
    table = Table("Goals", ("goal", "must", "measured", "verdict"))
    for goal in GOALS:
        sign = "≥" if goal.at_least else "≤"
        table.rows.append((goal.text, f"{sign} {number(goal.must)} {goal.unit}".strip(), *verdict(goal, found)))
    noisy = [f"`{name}`" for name in found.loads if found.of(name, DIRECT) and not quiet(found, name)]
    if noisy:
        table.note = f"No quiet round (direct p99 ≥ {QUIET_P99_MS:g} ms) in {', '.join(noisy)}: {_ratios(found)}"
    return table


def _ratios(found: Measurements) -> str:
    """What is left to say on a busy machine."""
    texts = []
    for scenario in found.loads:
        rows: dict[str, Row] = {
            target: medians(of) for target in (DIRECT, PRODUCT) if (of := found.of(scenario, target))
        }
        if len(rows) == 2 and rows[DIRECT].p50:
            texts.append(f"`{scenario}` product/direct p50 {number(rows[PRODUCT].p50 / rows[DIRECT].p50)} ×")
    return "; ".join(texts) or "ratios need the product"

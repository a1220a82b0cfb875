"""What was measured, as tables."""

import math

from bench.goals import DIRECT, UNFENCED, added, goals_table, ratio
from bench.measurements import Measurements
from bench.rows import Row, medians
from bench.tables import Table, number, pair, split

RUNS = "runs"
COLUMNS = (
    "target",
    "rounds",
    "ok/failed",
    "tok/s",
    "TTFT − delay p50/p99 ms",
    "TTFT added p50",
    "token p50",
    "p90",
    "p99",
    "max ms",
    "steady p50/p99",
    "p50 added",
    "CPU s/Mtok",
    "noise",
)


def tables(found: Measurements) -> list[Table]:
    made: list[Table] = []
    for scenario, title in found.loads.items():
        targets = list(dict.fromkeys(row.target for row in found.rows if row.scenario == scenario))
        rows = {target: medians(found.of(scenario, target)) for target in targets}
        if rows:
            made.append(_latency(found, scenario, title, rows))
            made.append(_processes(scenario, rows))
    made += [_memory(found), _starts(found), _ceilings(found), _herds(found), *_readers(found), _lanes(found)]
    made.append(_durability(found))
    return [*(table for table in made if table.rows), goals_table(found)]


def _latency(found: Measurements, scenario: str, title: str, rows: dict[str, Row]) -> Table:
    table = Table(f"{title} (`{scenario}`)", COLUMNS)
    for target, row in rows.items():
        table.rows.append(
            (
                target,
                str(row.round),
                f"{row.runs - row.failed}/{row.failed}",
                number(row.delivered_per_second),
                pair(row.first_token_p50, row.first_token_p99),
                number(added(found, scenario, target, "first_token_p50")),
                number(row.p50),
                number(row.p90),
                number(row.p99),
                number(row.max),
                pair(row.steady_p50, row.steady_p99),
                number(added(found, scenario, target, "p50")),
                number(row.cpu_per_million),
                number(row.noise),
            )
        )
    problems = [text for row in rows.values() for text in _problems(row)]
    table.note = "\n".join(f"* {text}" for text in problems)
    return table


def _problems(row: Row) -> list[str]:
    counts = {
        "lost": row.lost,
        "duplicated": row.duplicated,
        "out of order": row.out_of_order,
        "restarted": row.restarts,
        "model calls more than runs": row.extra_model_calls,
    }
    texts = [f"`{row.target}`: {count} {name}" for name, count in counts.items() if count]
    return texts + [f"`{row.target}`: {count} × {error}" for error, count in row.errors.items()]


def _processes(scenario: str, rows: dict[str, Row]) -> Table:
    """CPU by process: per million tokens, or per run where runs are what is measured."""
    per_run = scenario == RUNS
    unit = "CPU ms per run" if per_run else "CPU s per million tokens"
    table = Table(f"`{scenario}`: {unit}, by process", ("target", "total", "by process"))
    for target, row in rows.items():
        if target != DIRECT and row.cpu_per_million and not math.isnan(row.cpu_per_million):
            total = row.cpu_ms_per_run if per_run else row.cpu_per_million
            scale = total / row.cpu_per_million
            parts = {name: value * scale for name, value in row.cpu_by_process.items()}
            table.rows.append((target, number(total), split(parts)))
    return table


def _memory(found: Measurements) -> Table:
    columns = ("target", "streams", "idle RSS MiB", "idle PSS", "loaded PSS", "MiB per stream", "growth KiB by process")
    table = Table("Memory", columns)
    for row in found.memory:
        growth = {name: value * 1_024 for name, value in row.growth_by_process.items()}
        cells = (row.idle_rss, row.idle_pss, row.loaded_pss)
        table.rows.append((row.target, str(row.streams), *map(number, cells), f"{row.per_stream:.3f}", split(growth)))
    return table


def _starts(found: Measurements) -> Table:
    table = Table("Start of the local stack, all cores", ("target", "start", "ready s", "first token s"))
    for row in found.starts:
        table.rows.append((row.target, row.kind, number(row.ready), number(row.first_token)))
    return table


def _ceilings(found: Measurements) -> Table:
    columns = (
        "target",
        "tok/s",
        "steady p50",
        "p99 ms",
        "whole p99",
        "CPU s/Mtok",
        "first failing",
        "its p99 ms",
        "delivered in time",
    )
    table = Table("Highest tokens per second on one core with p99 < 100 ms, 25 tok/s per stream", columns)
    for row in found.ceilings:
        best = (row.tokens_per_second, row.p50, row.p99, row.whole_p99, row.cpu_per_million)
        failing = (row.first_failing, row.failing_p99)
        table.rows.append((row.target, *map(number, best + failing), f"{row.failing_delivered * 100:.0f} %"))
    return table


def _herds(found: Measurements) -> Table:
    columns = (
        "target",
        "watchers",
        "failed",
        "lost / double / disordered",
        "served p50 / max s",
        "live p50 / p99 ms meanwhile",
        "live p99 over all",
        "CPU s meanwhile, by process",
        "noise",
    )
    table = Table("All watchers reconnect at once, 40 live streams beside them", columns)
    for row in found.herds:
        damage = f"{row.lost} / {row.duplicated} / {row.out_of_order}"
        served, live = pair(row.served_p50, row.served_max), pair(row.live_p50, row.live_p99)
        cells = (damage, served, live, number(row.live_whole_p99), split(row.cpu_by_process), number(row.noise))
        table.rows.append((row.target, str(row.watchers), str(row.failed + row.live_failed), *cells))
        table.note = "\n".join(f"* {error}" for error in row.errors)
    return table


def _readers(found: Measurements) -> list[Table]:
    made = []
    for row in found.readers:
        title = (
            f"{row.stuck} clients that never read, {row.half} with half a request, {row.silent} silent: `{row.target}`"
        )
        table = Table(title, ("", "p99 of the others, ms", "steady p99"))
        for name, whole, steady in (
            ("rounds without them", row.alone_p99, row.alone_steady_p99),
            ("95 % interval of one more such round", row.interval, row.steady_interval),
            ("rounds beside them", row.beside_p99, row.beside_steady_p99),
        ):
            table.rows.append((name, " · ".join(map(number, whole)), " · ".join(map(number, steady))))
        edge = [row.edge_before, row.edge_filled, row.edge_during, row.edge_peak, row.edge_after]
        facts = [
            f"of the others {row.failed} failed",
            "edge RSS MiB before / when all had come / at the end / at most / when all had gone: "
            + " / ".join(map(number, edge)),
            f"per client that never reads: {number(row.edge_kib_per_client)} KiB in the edge and "
            f"{number(row.kernel_kib_per_client)} KiB in the kernel",
            f"{row.connected} still connected, {row.full} with unread bytes (median {number(row.waiting_kib)} KiB)",
            f"{row.thawed} read after all; damage: {', '.join(row.damage) or 'none'}",
            *row.errors,
        ]
        table.note = "\n".join(f"* {fact}" for fact in facts)
        made.append(table)
    return made


def _lanes(found: Measurements) -> Table:
    columns = ("target", "lanes", "pairs", "single runs p50", "95 % of them", "fastest lane p50", "p90")
    table = Table("First token of the fastest lane of a comparison, beside single runs, ms", columns)
    for row in found.lanes:
        interval = pair(*row.interval)
        fastest = (number(row.fastest_p50), number(row.fastest_p90))
        table.rows.append((row.target, str(row.lanes), str(row.pairs), number(row.single_p50), interval, *fastest))
    return table


def _durability(found: Measurements) -> Table:
    """The median over the rounds of product / unfenced in the same round."""
    columns = ("load", "rounds", "CPU s/Mtok", "token p50", "p99", "steady p99", "TTFT − delay p50", "p99 ")
    names = ("cpu_per_million", "p50", "p99", "steady_p99", "first_token_p50", "first_token_p99")
    table = Table("The cost of durability: the product / the same without fence and acknowledgement", columns)
    for scenario in found.loads:
        rounds = {row.round for row in found.of(scenario, UNFENCED)}
        if rounds:
            ratios = (ratio(found, scenario, name, UNFENCED) for name in names)
            table.rows.append((f"`{scenario}`", str(len(rounds)), *(f"{number(value)} ×" for value in ratios)))
    return table


def markdown(found: Measurements) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in found.machine.items())
    head = (
        f"Taken {found.taken_at}; {facts}. Medians over interleaved rounds; every target had one core for all of its "
        "processes, the model server and the load client another. Times in ms. *TTFT − delay* is the time to first "
        "token without the model's own delay; *added* is over `direct` in the same round.\n"
    )
    return "\n".join([head, *(table.markdown() for table in tables(found))])

"""`python -m bench`: measure `direct` and the product, and with `--peers` also LiteLLM and the AI SDK."""

import argparse
import os
import platform
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import uvloop

from bench import scenarios
from bench.laboratory import Laboratory, laboratory
from bench.machine import cores
from bench.profiler import profile
from bench.report import markdown, tables
from bench.rows import Measurements
from bench.tables import number
from bench.targets import PEERS, TARGETS, Direct, Product, Target
from bench.targets.litellm import VERSION as LITELLM_VERSION

RESULTS = Path(__file__).parent / "results"
DEFAULT_ROUNDS = 3


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--peers", default="", help=f"also measure these, comma separated: {','.join(PEERS)}")
    parser.add_argument("--scenario", default="", help=f"comma separated, or `all`: {','.join(scenarios.NAMES)}")
    parser.add_argument("--rounds", type=int, default=0, help=f"interleaved rounds (default {DEFAULT_ROUNDS})")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it works")
    parser.add_argument("--no-product", action="store_true", help="leave the product out")
    parser.add_argument("--profile", action="store_true", help="with py-spy: where the product spends its CPU")
    parser.add_argument("--markdown", type=Path, help="also write the tables to this file")
    chosen = parser.parse_args()
    chosen.peers = [name for name in chosen.peers.split(",") if name]
    default = scenarios.QUICK if chosen.quick else scenarios.DEFAULT
    names = chosen.scenario.split(",") if chosen.scenario else default
    chosen.scenario = scenarios.NAMES if chosen.scenario == "all" else names
    chosen.rounds = chosen.rounds or (1 if chosen.quick else DEFAULT_ROUNDS)
    if unknown := [name for name in chosen.peers if name not in PEERS]:
        parser.error(f"no such peer: {', '.join(unknown)}")
    if unknown := [name for name in chosen.scenario if name not in scenarios.NAMES]:
        parser.error(f"no such scenario: {', '.join(unknown)}")
    return chosen


def say(text: str) -> None:
    print(text, flush=True)


async def measure(chosen: argparse.Namespace) -> Measurements:
    found = Measurements(taken_at=datetime.now(UTC).isoformat(timespec="seconds"), machine=_machine())
    async with laboratory() as room:
        if scenarios.START in chosen.scenario and not chosen.no_product:
            say("start of the local stack, twice …")
            found.starts = await room.measure_start(Product)
        with ExitStack() as running:
            targets: list[Target] = [room.build(Direct, Direct.name)]
            names = [*([] if chosen.no_product else [Product.name]), *chosen.peers]
            for name in names:
                say(f"starting {name} …")
                target = room.build(TARGETS[name], name)
                await target.start()
                running.callback(target.stop)
                targets.append(target)
            for target in targets:
                say(f"warming up {target.name} …")
                await room.warm_up(target)
            if scenarios.MEMORY in chosen.scenario:
                for target in targets[1:]:
                    say(f"memory: {target.name} …")
                    found.memory.append(await room.measure_memory(target))
            await _measure_loads(room, chosen, targets, found)
            if scenarios.CEILING in chosen.scenario:
                for target in targets[1:]:
                    say(f"ceiling: {target.name} …")
                    found.ceilings.append(await room.climb(target))
            products = [target for target in targets if isinstance(target, Product)]
            for product in products if scenarios.RECONNECT in chosen.scenario else []:
                say(f"{scenarios.RECONNECT_WATCHERS} reconnects at once: {product.name} …")
                found.herds.append(await room.measure_herd(product))
            for product in products if chosen.profile else []:
                say(f"profile: {product.name} …")
                for table in await profile(room, product, RESULTS / "profile"):
                    say(table.markdown())
    return found


async def _measure_loads(
    room: Laboratory, chosen: argparse.Namespace, targets: list[Target], found: Measurements
) -> None:
    known = scenarios.QUICK_LOADS if chosen.quick else scenarios.LOADS
    for name in chosen.scenario:
        load = known.get(name) or scenarios.LOADS.get(name)
        if load is None:
            continue
        found.loads[load.name] = load.title
        for number_of_round in range(1, chosen.rounds + 1):
            for target in targets:
                if target.name in PEERS and not load.peers:
                    continue
                row = await room.measure(target, load, number_of_round)
                found.rows.append(row)
                say(
                    f"  {name} round {number_of_round} {target.name}: p50 {number(row.p50)} p99 {number(row.p99)} ms, "
                    f"TTFT {number(row.first_token_p50)} ms, CPU {number(row.cpu_per_million)} s/Mtok, "
                    f"{row.failed} failed, noise {number(row.noise)}"
                )


def _machine() -> dict[str, str]:
    return {
        "cores": str(os.cpu_count()),
        "target cores": ",".join(map(str, sorted(cores().target))),
        "Python": platform.python_version(),
        "kernel": platform.release().split("-")[0],
        "LiteLLM": LITELLM_VERSION,
    }


def main() -> int:
    chosen = arguments()
    found = uvloop.run(measure(chosen))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{found.taken_at.replace(':', '').replace('+0000', 'Z')}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    for table in tables(found):
        say("\n" + table.markdown())
    say(f"written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
    if chosen.markdown:
        chosen.markdown.write_text(markdown(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())

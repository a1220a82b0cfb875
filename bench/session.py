"""One call of `python -m bench`: start what is to be measured, measure it, stop it."""

import os
import platform
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import scenarios
from bench.ceiling import climb
from bench.laboratory import Laboratory, laboratory
from bench.lanes import measure_lanes
from bench.machine import cores
from bench.measurements import Measurements
from bench.profiler import profile
from bench.readers import measure_readers
from bench.scenarios import Load
from bench.tables import number
from bench.targets import PEERS, TARGETS, Direct, Product, Target, Unfenced
from bench.targets.litellm import VERSION as LITELLM_VERSION


@dataclass(frozen=True, slots=True)
class Plan:
    """What somebody asked for."""

    peers: tuple[str, ...]
    scenarios: tuple[str, ...]
    rounds: int
    quick: bool
    product: bool
    profiles: Path | None
    """Where to write profiles of the product, if there are to be any."""

    @property
    def targets(self) -> list[str]:
        unfenced = [Unfenced.name] if scenarios.DURABILITY in self.scenarios else []
        return [*([Product.name, *unfenced] if self.product else []), *self.peers]

    @property
    def loads(self) -> list[Load]:
        known = {**scenarios.LOADS, **(scenarios.QUICK_LOADS if self.quick else {})}
        chosen = [known[name] for name in self.scenarios if name in known]
        if scenarios.DURABILITY in self.scenarios and self.product:
            chosen += scenarios.QUICK_DURABILITY_LOADS if self.quick else scenarios.DURABILITY_LOADS
        return chosen


def say(text: str) -> None:
    print(text, flush=True)


async def measure(plan: Plan) -> Measurements:
    found = Measurements(taken_at=datetime.now(UTC).isoformat(timespec="seconds"), machine=_machine())
    async with laboratory() as room:
        if scenarios.START in plan.scenarios and plan.product:
            say("start of the local stack, twice …")
            found.starts = await room.measure_start(Product)
        with ExitStack() as running:
            targets = await _start(room, plan, running)
            if scenarios.MEMORY in plan.scenarios:
                for target in targets[1:]:
                    say(f"memory: {target.name} …")
                    found.memory.append(await room.measure_memory(target))
            for load in plan.loads:
                await _measure_load(room, plan.rounds, load, targets, found)
            if scenarios.CEILING in plan.scenarios:
                for target in targets[1:]:
                    say(f"ceiling: {target.name} …")
                    found.ceilings.append(await climb(room, target))
            for target in targets:
                if type(target) is Product:
                    await _measure_product(room, plan, target, found)
    return found


async def _start(room: Laboratory, plan: Plan, running: ExitStack) -> list[Target]:
    targets: list[Target] = [room.build(Direct, Direct.name)]
    for name in plan.targets:
        say(f"starting {name} …")
        target = room.build(TARGETS[name], name)
        await target.start()
        running.callback(target.stop)
        targets.append(target)
    for target in targets:
        say(f"warming up {target.name} …")
        await room.warm_up(target)
    return targets


async def _measure_product(room: Laboratory, plan: Plan, product: Product, found: Measurements) -> None:
    if scenarios.RECONNECT in plan.scenarios:
        say(f"{scenarios.RECONNECT_WATCHERS} reconnects at once: {product.name} …")
        found.herds.append(await room.measure_herd(product))
    if scenarios.LANES in plan.scenarios:
        say(f"{scenarios.LANES_COMPARED} lanes beside single runs: {product.name} …")
        pairs = scenarios.LANES_QUICK_PAIRS if plan.quick else scenarios.LANES_PAIRS
        found.lanes.append(await measure_lanes(product, scenarios.LANES_COMPARED, pairs))
    if scenarios.READERS in plan.scenarios:
        say(f"clients that never read: {product.name} …")
        row, rounds = await measure_readers(
            room, product, scenarios.FEW_READERS if plan.quick else scenarios.MANY_READERS
        )
        found.readers.append(row)
        found.rows += rounds
        found.loads |= {load.name: load.title for load in (scenarios.READERS_ALONE, scenarios.READERS_BESIDE)}
    if plan.profiles:
        say(f"profile: {product.name} …")
        for table in await profile(room, product, plan.profiles):
            say(table.markdown())


async def _measure_load(room: Laboratory, rounds: int, load: Load, targets: list[Target], found: Measurements) -> None:
    found.loads[load.name] = load.title
    chosen = [target for target in targets if _takes_part(target, load)]
    for number_of_round in range(1, rounds + 1):
        # Back and forth: nobody always comes after the same one.
        for target in chosen if number_of_round % 2 else reversed(chosen):
            row = await room.measure(target, load, number_of_round)
            found.rows.append(row)
            say(
                f"  {load.name} round {number_of_round} {target.name}: p50 {number(row.p50)} p99 {number(row.p99)} ms, "
                f"TTFT {number(row.first_token_p50)} ms, CPU {number(row.cpu_per_million)} s/Mtok, "
                f"{row.failed} failed, noise {number(row.noise)}"
            )


def _takes_part(target: Target, load: Load) -> bool:
    if target.name == Unfenced.name:
        return load.unfenced
    return load.peers or target.name not in PEERS


def _machine() -> dict[str, str]:
    return {
        "cores": str(os.cpu_count()),
        "target cores": ",".join(map(str, sorted(cores().target))),
        "Python": platform.python_version(),
        "kernel": platform.release().split("-")[0],
        "LiteLLM": LITELLM_VERSION,
    }

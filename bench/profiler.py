"""Where the product spends its CPU: py-spy on each of its Python processes while streams run, and while runs start.

py-spy is optional. It runs on the load core and without pausing what it watches, but the latencies of such a round are
not reported.
"""

import asyncio
import shutil
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bench.laboratory import Laboratory
from bench.machine import PROC, label
from bench.scenarios import Load
from bench.tables import Table
from bench.targets import Target

SAMPLES_PER_SECOND = 400
LOADS = (
    Load("streams", "100 streams at 50 tok/s", 100, 50, 400, ramp_seconds=1),
    Load("starts", "runs of 2 tokens, 20 at a time", 20, 1_000, 2, 0, runs=600, first_token_ms=1),
)
LEAD_SECONDS = 2.5
"""After the load begins: pause, ramp and settling are not in the picture."""
EVERYWHERE = 0.9
"""A frame in more of the stacks than this is the way to the loop and says nothing."""
RECORD_SECONDS = 5
STOP_SECONDS = 30.0
TOP = 25
FEW = 5
"""A process with fewer different frames did nothing."""


def find_py_spy() -> str | None:
    beside = Path(sys.executable).with_name("py-spy")
    return str(beside) if beside.exists() else shutil.which("py-spy")


async def profile(laboratory: Laboratory, target: Target, folder: Path) -> list[Table]:
    """Record each Python process; write collapsed stacks (for any flame graph viewer) and return the hot spots."""
    program = find_py_spy()
    if program is None:
        print("  py-spy is not installed: no profile (pip install py-spy)", flush=True)
        return []
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    return [table for load in LOADS for table in await _profile(program, laboratory, target, load, folder)]


async def _profile(program: str, laboratory: Laboratory, target: Target, what: Load, folder: Path) -> list[Table]:
    load = asyncio.create_task(laboratory.put(target, what))
    await asyncio.sleep(LEAD_SECONDS)
    pids = {pid: f"{label(pid)}, {what.title}" for pid in target.pids() if _is_python(pid)}
    files = {name: folder / f"{what.name}-{label(pid)}-{pid}.txt" for pid, name in pids.items()}
    recorders = [await _record(program, str(pid), files[name]) for pid, name in pids.items()]
    for recorder in recorders:
        async with asyncio.timeout(STOP_SECONDS):
            await recorder.wait()
    await load
    tables = [_hot_spots(name, path.read_text().splitlines()) for name, path in files.items() if path.exists()]
    return [table for table in tables if len(table.rows) > FEW]


def _is_python(pid: int) -> bool:
    try:
        return (PROC / str(pid) / "exe").resolve().name.startswith("python")
    except OSError:
        return False


async def _record(program: str, pid: str, path: Path) -> asyncio.subprocess.Process:
    options = ["--format", "raw", "--nonblocking", "--function", "--rate", str(SAMPLES_PER_SECOND)]
    return await asyncio.create_subprocess_exec(
        program, "record", *options, "--duration", str(RECORD_SECONDS), "--output", str(path), "--pid", pid,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


def _hot_spots(name: str, collapsed: Iterable[str]) -> Table:
    """From lines of `frame;frame;frame count`: what was on top, and what was anywhere in the stack."""
    itself: Counter[str] = Counter()
    within: Counter[str] = Counter()
    for line in collapsed:
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        itself[frames[-1]] += int(count)
        for frame in set(frames):
            within[frame] += int(count)
    total = itself.total() or 1
    for frame in [frame for frame, count in within.items() if count > EVERYWHERE * total]:
        del within[frame]
    busy = f"{itself.total()} samples of {SAMPLES_PER_SECOND * RECORD_SECONDS} possible"
    table = Table(f"Hot spots of {name} ({busy})", ("% self", "where", "% within", "where "))
    for (own, own_count), (part, part_count) in zip(itself.most_common(TOP), within.most_common(TOP), strict=False):
        table.rows.append((f"{own_count * 100 / total:.1f}", own, f"{part_count * 100 / total:.1f}", part))
    return table

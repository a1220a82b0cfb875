"""A short slice of the chaos of assistants in every test run; `python -m tests.chaos assistants` is the long one."""

from pathlib import Path

import pytest

from tests.chaos.modes import assistants
from tests.chaos.options import Options

SEED = 20261127
RUNS = 3
WAITS = {"architect": (0.5, 2.0), "edge": (0.5, 3.0), "inference": (0.5, 3.0)}
"""Each process is killed once, early enough for a run to be at it."""


@pytest.mark.timeout(600)
async def test_runs_of_assistants_end_right_whatever_is_killed(tmp_path: Path) -> None:
    options = Options(mode="assistants", seed=SEED, count=RUNS, streams=RUNS)
    outcome = await assistants.run(options, tmp_path / "chaos", print, rate=(60.0, 120.0), waits=WAITS, most=1)
    print(*outcome.tables, sep="\n")
    assert not outcome.violations, f"{len(outcome.violations)} promises broken, the first: {outcome.violations[0]}"

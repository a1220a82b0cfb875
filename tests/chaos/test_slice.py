"""A short slice of the chaos in every test run: everything is killed, no word is lost. `task chaos` is the long one."""

from pathlib import Path

import pytest

from tests.chaos.client.load import Shape
from tests.chaos.modes import mixed
from tests.chaos.options import Options

SEED = 20261123
SHAPE = Shape(streams=8, words=(60, 160), rate=(20.0, 30.0))


@pytest.mark.timeout(600)
async def test_everything_is_killed_and_nothing_is_lost(tmp_path: Path) -> None:
    options = Options(seed=SEED, kills_per_kind=2, pauses_per_kind=0, drops=2)
    outcome = await mixed.run(options, tmp_path / "chaos", print, shape=SHAPE)
    print(*outcome.tables, *outcome.goals, sep="\n")
    assert not outcome.violations, f"{len(outcome.violations)} promises broken, the first: {outcome.violations[0]}"

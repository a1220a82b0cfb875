"""A short slice of a deploy and its way back in every test run; `task compat:rolling` is the long one."""

from pathlib import Path

import pytest

from tests.chaos.client.load import Shape
from tests.chaos.cluster.release import one_before
from tests.chaos.modes import releases
from tests.chaos.options import Options

SEED = 20261127
SHAPE = Shape(words=(40, 120), rate=(20.0, 30.0), watchers=2)


@pytest.mark.timeout(240)
async def test_the_release_before_and_this_one_serve_side_by_side_and_nothing_is_lost(tmp_path: Path) -> None:
    try:
        before = one_before()
    except RuntimeError as error:
        pytest.skip(f"there is no release before this one here: {error}")
    options = Options(mode="releases", seed=SEED, streams=4, minutes=0.1, before=before)
    outcome = await releases.run(options, tmp_path / "chaos", print, shape=SHAPE, others=1, short=True)
    print(*outcome.tables, *outcome.goals, sep="\n")
    assert not outcome.violations, f"{len(outcome.violations)} promises broken, the first: {outcome.violations[0]}"

"""A short slice of the chaos of notifications in every test run; `python -m tests.chaos notify` is the long one."""

from pathlib import Path

import pytest

from tests.chaos.modes import notify
from tests.chaos.options import Options

SEED = 20261127
RUNS = 8


@pytest.mark.timeout(600)
async def test_every_owner_who_is_away_gets_one_mail_whoever_is_killed(tmp_path: Path) -> None:
    options = Options(mode="notify", seed=SEED, count=RUNS, streams=RUNS)
    outcome = await notify.run(options, tmp_path / "chaos", print, most=3)
    print(*outcome.tables, sep="\n")
    assert not outcome.violations, f"{len(outcome.violations)} promises broken, the first: {outcome.violations[0]}"

"""Two replicas do not do the same, and none waits for one that is dead; whatever the clocks say."""

import pytest

from kit.db.database import Database
from kit.db.statement import Statement
from kit.ids import new_id
from kit.orchestrate.duty import Duty
from tests.integration.orchestrate.orchestra import DUTY_SECONDS, SCHEMA


def duty(database: Database, name: str, holder: str) -> Duty:
    return Duty(database, SCHEMA, name, holder, DUTY_SECONDS)


async def shift(database: Database, name: str, interval: str) -> None:
    """Let the hold on a duty end earlier or later than it was said."""
    statement = f"UPDATE {SCHEMA}.duty SET until = until + CAST(CAST(:by AS text) AS interval) WHERE name = :name"
    await database.fetch(Statement(statement), {"by": interval, "name": name})


async def test_one_has_it_until_it_has_been_silent_for_too_long(database: Database) -> None:
    name = new_id("duty")
    one, other = duty(database, name, "one"), duty(database, name, "other")
    assert await one.held()
    assert not await other.held()
    assert await one.held(), "it keeps it"
    assert await duty(database, new_id("duty"), "other").held(), "another duty is another matter"
    await shift(database, name, f"-{DUTY_SECONDS + 1} seconds")
    assert await other.held()
    assert not await one.held()


@pytest.mark.parametrize("jump", ["100 years", "-100 years"])
async def test_a_clock_that_jumps_leaves_it_with_no_dead_replica(database: Database, jump: str) -> None:
    name = new_id("duty")
    assert await duty(database, name, "dead").held()
    await shift(database, name, jump)
    assert await duty(database, name, "other").held()

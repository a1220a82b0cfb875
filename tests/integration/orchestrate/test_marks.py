"""Marks on rows: each is written once, together with the others, and none is lost when the service stops."""

from typing import Any, Literal

from kit.db.database import Database
from kit.db.statement import Statement
from kit.ids import new_id
from kit.orchestrate.marks import Marks
from tests.fixtures.polling import until
from tests.integration.orchestrate.orchestra import SCHEMA

Mark = Literal["dispatched_at", "told_at"]


def marks_of(database: Database) -> Marks[Mark]:
    return Marks(database, f"{SCHEMA}.run", ("dispatched_at", "told_at"))


async def stored(database: Database, count: int) -> list[str]:
    ids = [new_id("cmp") for _ in range(count)]
    for each in ids:
        await database.fetch(Statement(f"INSERT INTO {SCHEMA}.run (id) VALUES (:id)"), {"id": each})
    return ids


async def row(database: Database, run_id: str) -> dict[str, Any]:
    (found,) = await database.fetch(Statement(f"SELECT * FROM {SCHEMA}.run WHERE id = :id"), {"id": run_id})
    return dict(found)


async def test_each_mark_goes_to_its_own_column_and_stays_what_it_was(database: Database) -> None:
    marks, (one, two, neither) = marks_of(database), await stored(database, 3)
    marks.add("dispatched_at", one)
    marks.add("told_at", two)
    await marks.write()
    first = await row(database, one)
    assert first["dispatched_at"] is not None
    assert first["told_at"] is None
    assert (await row(database, two))["told_at"] is not None
    assert set((await row(database, neither)).values()) == {neither, None}
    marks.add("dispatched_at", one)
    await marks.write()
    assert await row(database, one) == first


async def test_a_mark_waits_until_it_is_written(database: Database) -> None:
    marks, (one,) = marks_of(database), await stored(database, 1)
    marks.add("told_at", one)
    assert (list(marks.waiting("told_at")), list(marks.waiting("dispatched_at"))) == ([one], [])
    await marks.start()

    async def written() -> bool:
        return (await row(database, one))["told_at"] is not None

    await until(written)
    await until(lambda: nothing_waits(marks))
    await marks.stop()


async def nothing_waits(marks: Marks[Mark]) -> bool:
    return not marks.waiting("told_at")


async def test_what_is_left_is_written_at_the_end(database: Database) -> None:
    marks, (one,) = marks_of(database), await stored(database, 1)
    await marks.start()
    marks.add("dispatched_at", one)
    await marks.stop()
    assert (await row(database, one))["dispatched_at"] is not None

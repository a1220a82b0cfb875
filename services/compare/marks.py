"""How far the messages of a run have come, as its row says."""

from typing import Literal, get_args

from kit.db.database import Database
from kit.orchestrate.marks import Marks

Mark = Literal["dispatched_at", "told_at"]
"""`dispatched_at`: the run's orders are on the bus. `told_at`: its ending is in its log."""

RunMarks = Marks[Mark]


def run_marks(database: Database) -> RunMarks:
    """The marks of comparisons."""
    return Marks(database, "compare.run", get_args(Mark))

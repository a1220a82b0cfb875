"""How far the messages of a run have come, as its row says."""

from typing import Literal, get_args

from kit.db.database import Database
from kit.orchestrate.marks import Marks

Mark = Literal["announced_at", "dispatched_at", "told_at"]
"""`dispatched_at`: the run's order is on the bus. `told_at`: its ending is in its log. `announced_at`: its log says
that it waits.
"""

RunMarks = Marks[Mark]


def run_marks(database: Database) -> RunMarks:
    """The marks of chat runs."""
    return Marks(database, "chat.run", get_args(Mark))

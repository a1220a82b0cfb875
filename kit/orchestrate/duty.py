"""Work that one replica does for all of them: whoever holds the duty, until it has been silent for too long."""

from kit.db.database import Database
from kit.db.statement import Statement

_TAKE = """
    INSERT INTO {schema}.duty AS duty (name, holder, until)
    VALUES (:name, :holder, now() + make_interval(secs => :seconds))
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE duty.holder = excluded.holder OR duty.until < now()
       OR duty.until > now() + make_interval(secs => 2 * :seconds)
    RETURNING name
"""
"""The clock is the database's. If it went back, a dead replica would have the duty for long: so the last condition."""


class Duty:
    """A hold on one kind of work. It keeps two replicas from doing the same, and nothing relies on it: a holder that
    was paused may wake up beside its successor, so all that is done under a duty bears to be done twice.

    The service's schema has a table `duty (name text PRIMARY KEY, holder text, until timestamptz)`.
    """

    def __init__(self, database: Database, schema: str, name: str, holder: str, seconds: float) -> None:
        """`holder` names this process, `seconds` is how long its silence is borne."""
        self._database = database
        self._take = Statement(_TAKE.format(schema=schema))
        self._values = {"name": name, "holder": holder, "seconds": seconds}

    async def held(self) -> bool:
        """Take the duty or keep it; False if another replica has it."""
        return bool(await self._database.fetch(self._take, self._values))

"""One transition of a run: a transaction on its locked row."""

from collections.abc import Awaitable, Callable

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.message import Owner
from kit.clock import utc_now
from kit.db.database import Database
from services.architect import run_store
from services.architect.core import advance
from services.architect.course import Course
from services.architect.models import Planned

Transition = Callable[[AsyncSession, Course], Awaitable[None]]


class Transitions:
    """Changes runs. Two messages about one run wait for each other; those about others do not."""

    def __init__(self, database: Database, parallel: int) -> None:
        self._database, self._parallel = database, parallel

    async def change(self, owner: Owner, run_id: str, transition: Transition, *, inputs: bool = False) -> Planned:
        """Change a run that goes on, and do what follows at once. Returns it as it is then, without texts.

        One that has ended stays as it is. Nothing is on the bus yet: `Onward.follow` does that. Refused if the owner
        has no such run.
        """

        async def work(session: AsyncSession) -> Planned:
            planned = await run_store.planned(session, owner, run_id, inputs=inputs, lock=True)
            if planned.run.status == "running":
                course = Course(planned, utc_now(), self._parallel)
                await transition(session, course)
                settle(session, course)
            return planned

        return await self._database.run(work)


def settle(session: AsyncSession, course: Course) -> None:
    """Do what follows at once, and note what is owed to the bus."""
    advance(course)
    run = course.planned.run
    run_store.tell(session, run, course.told)
    if course.changed:
        run.changes += 1
        run.owed_since = run.owed_since or course.now

"""What compare does with the requests that start a run: a comparison, and another one that goes on from it."""

import secrets

from contracts.compare import ComparisonStarted, ExtendComparison, StartComparison
from contracts.generation import Parameters
from contracts.ids import is_blind, orchestrator_of
from kit.clock import utc_now
from kit.db.database import Database
from kit.ids import new_id
from kit.orchestrate import wording
from kit.refusal import Refused
from services.compare import checks, core, store
from services.compare.endings import SERVICE
from services.compare.models import Compared
from services.compare.plan import Starting, asked_of, extended_lanes, new_run, turns_of, wanted_lane, wish_of
from services.compare.starter import Starter


class StartHandlers:
    """Start comparisons."""

    def __init__(self, database: Database, starter: Starter) -> None:
        self._database, self._starter, self._limits = database, starter, starter.limits

    async def on_start_comparison(self, command: StartComparison) -> ComparisonStarted:
        """Store the run with all its lanes, then put it on the bus."""
        _check_id(command)
        try:
            compared = await self._planned(command)
        except Refused:  # what it has started before stays started, whatever has become of its models
            if (started := await self._starter.earlier(command)) is not None:
                return started
            raise
        return await self._starter.start(compared, command)

    async def _planned(self, command: StartComparison) -> Compared:
        """The run and its lanes. Raises Refused."""
        checks.check_turns(command.turns, self._limits)
        checks.check_parameters(command.parameters, self._limits.max_parameters_characters)
        checks.check_count(len(command.models), self._limits)
        title = wording.check_title(command.title) or core.title_from(command.turns)
        wanted = await self._starter.wanted(command.models, command.turns, command.parameters)
        checks.check_different([(lane.model, lane.parameters) for lane in wanted])
        run = new_run(command, command.turns, command.parameters, title, utc_now())
        if run.blind:
            secrets.SystemRandom().shuffle(wanted)
        return Compared(
            run,
            [
                wanted_lane(run, new_id("lane"), position, each, command.timeouts)
                for position, each in enumerate(wanted)
            ],
        )

    async def on_extend_comparison(self, command: ExtendComparison) -> ComparisonStarted:
        """Store a run that shows the finished lanes again, and put it on the bus to have the others generated."""
        _check_id(command)
        if (started := await self._starter.earlier(command)) is not None:
            return started
        parent = await self._parent(command)
        turns, common = turns_of(parent.run), Parameters.model_validate(parent.run.parameters)
        again = {lane.lane: lane for lane in parent.lanes if lane.lane in command.retry}
        wishes = [*map(wish_of, again.values()), *command.add]
        checks.check_count(len(parent.lanes) + len(command.add), self._limits)
        wanted = await self._starter.wanted(wishes, turns, common, named=not parent.hidden)
        anew, added = dict(zip(again, wanted, strict=False)), wanted[len(again) :]
        checks.check_different([*map(asked_of, parent.lanes), *((lane.model, lane.parameters) for lane in added)])
        run = new_run(command, turns, common, parent.run.title, utc_now())
        names = [new_id("lane") for _ in (*parent.lanes, *added)]
        lanes = extended_lanes(run, parent.lanes, anew, added, names, command.timeouts)
        return await self._starter.start(Compared(run, lanes), command)

    async def _parent(self, command: ExtendComparison) -> Compared:
        """The comparison that is gone on from, or Refused."""
        parent = await self._database.run(lambda session: store.compared(session, command.owner, command.parent_run_id))
        checks.check_extension(parent, command, blind=is_blind(command.run_id))
        return parent


def _check_id(command: Starting) -> None:
    """A run of another kind would never be told of its endings."""
    if orchestrator_of(command.run_id) != SERVICE:
        raise Refused("invalid_request", "This is no id of a comparison.")

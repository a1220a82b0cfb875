"""The only generation of a chat run, as the parts that stop it or end it know it."""

from pydantic import ValidationError

from contracts.ids import MAIN_LANE
from kit.orchestrate.generation import Generation
from kit.runlog.lane import RunKey
from services.chat import core
from services.chat.models import RunRow


def generation_of(run: RunRow) -> Generation:
    """The generation of a run."""
    return Generation(
        key=RunKey(run.tenant, run.user, run.id),
        lane=MAIN_LANE,
        model=run.model,
        requested=run.created_at,
        created=core.created_event(run),
        asked=_asked(run),
        trace=run.trace,
    )


def _asked(run: RunRow) -> tuple[str, ...]:
    """The texts of the question; of a request that cannot be read there are none, and its run must end as well."""
    try:
        return tuple(turn.content for turn in run.order().messages)
    except ValidationError:
        return ()

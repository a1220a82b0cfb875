"""A conversation that goes on from an assistant's run: values in, values out."""

from contracts.architect_values import AssistantRun, RunStep
from contracts.chat import ImportConversation
from contracts.content import Turn
from contracts.message import Owner
from kit.refusal import Refused
from services.edge.chat_ids import conversation_made_of

MAX_TITLE_CHARACTERS = 200


def conversation_of_run(owner: Owner, run: AssistantRun, key: str | None) -> ImportConversation:
    """What chat is asked to begin: the same for the same run and key. Raises Refused."""
    if run.ended_at is None:
        raise Refused("run_in_progress", "This run is still going. Wait for its end, or stop it.")
    steps = [(step, asked) for step in run.steps if (step.output or "").strip() and (asked := _asked(step))]
    if not steps:
        raise Refused("no_output", "No step of this run has an output to go on from.")
    last, _ = steps[-1]
    system = [turn for turn in last.turns if turn.role == "system"]
    said = [turn for step, asked in steps for turn in (asked, Turn(role="assistant", content=step.output or ""))]
    return ImportConversation(
        owner=owner,
        conversation_id=conversation_made_of(owner, run.created_at, "assistant run", run.id, *([key] if key else [])),
        title=run.name[:MAX_TITLE_CHARACTERS],
        turns=(*system, *said),
        model=last.model or None,
    )


def _asked(step: RunStep) -> Turn | None:
    """A step's own question. Before it there may be those of earlier steps, which have places of their own."""
    return next((turn for turn in reversed(step.turns) if turn.role == "user" and turn.content.strip()), None)

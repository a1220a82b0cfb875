"""Deleting a run: an assistant's is something of its own, others go with what they belong to."""

from contracts.architect import DeleteAssistantRun
from contracts.chat_values import Run
from contracts.ids import orchestrator_of
from contracts.message import Owner
from kit.refusal import Refused
from services.edge.gateway import Gateway
from services.edge.orchestrators import serving


async def delete_run(gateway: Gateway, owner: Owner, run_id: str) -> None:
    """Delete it, or say where that is done. Raises Refused, Unavailable."""
    if orchestrator_of(run_id) == "architect":
        await gateway.ask(DeleteAssistantRun(owner=owner, run_id=run_id))
        return
    run: Run = await gateway.ask(serving(run_id).get(owner=owner, run_id=run_id))  # somebody else's is unknown
    raise Refused("deleted_elsewhere", _where(run))


def _where(run: Run) -> str:
    if orchestrator_of(run.id) == "compare":
        return f"This run is a comparison. Delete it with DELETE /v1/comparisons/{run.id}."
    if run.conversation_id is not None:
        return f"This run belongs to a conversation. It goes with that: DELETE /v1/conversations/{run.conversation_id}."
    return "This run belongs to a response. It goes with that: DELETE /v1/responses/{response}."

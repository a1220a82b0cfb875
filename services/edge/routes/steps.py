"""The steps of an assistant's run: look, approve, stop, take anew; and what is made of a run, or not kept of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from contracts import architect as asked
from contracts import architect_values as values
from contracts import chat
from kit.ids import new_id
from services.edge.assistant_run_bodies import AssistantRunAccepted, NewDecision, NewRunFork, accepted
from services.edge.continuing import conversation_of_run
from services.edge.deleting import delete_run
from services.edge.depends import Caller, TheGateway, TheOwner
from services.edge.gateway import assistant_run_id, run_key, step_name
from services.edge.starting import described, start_run

router = APIRouter(prefix="/v1/runs/{run}", tags=["steps"])

_RESPONSES = described(AssistantRunAccepted, "The new run has begun.")
_Key = Annotated[str | None, Header(min_length=1, max_length=255)]


@router.delete("", status_code=204, response_model=None)
async def delete_a_run(run: str, gateway: TheGateway, caller: Caller, owner: TheOwner) -> Response:
    """Delete an assistant's run. 409 while it is running.

    Runs of other kinds go with what they belong to, and only with it: 409 says where that is deleted.
    """
    await delete_run(gateway, owner, run_key(caller, run).run)
    return Response(status_code=204)


@router.get("/steps", response_model=values.AssistantRun)
async def get_steps(run: str, gateway: TheGateway, caller: Caller, owner: TheOwner) -> Any:
    """An assistant's run as it is now: every step, how it does, what it was asked, and its text so far."""
    key = run_key(caller, assistant_run_id(run))
    found: values.AssistantRun = await gateway.ask(asked.GetAssistantRun(owner=owner, run_id=key.run))
    if found.ended_at is not None:
        gateway.audience.saw(key)
    return found


@router.post("/steps/{step}/cancel", response_model=values.AssistantRun)
async def cancel_step(run: str, step: str, gateway: TheGateway, owner: TheOwner) -> Any:
    """Stop one step; what depends on it follows its policy. Stopping one that has ended changes nothing."""
    key = assistant_run_id(run)
    return await gateway.ask(asked.CancelStep(owner=owner, run_id=key, step=step_name(step)))


@router.post("/steps/{step}/approval", response_model=values.AssistantRun)
async def decide(run: str, step: str, body: NewDecision, gateway: TheGateway, owner: TheOwner) -> Any:
    """Approve a step that waits for it, or reject it. The same decision again changes nothing, another one is 409."""
    command = asked.DecideApproval(
        owner=owner,
        run_id=assistant_run_id(run),
        step=step_name(step),
        approved=body.decision == "approve",
        comment=body.comment,
    )
    return await gateway.ask(command)


@router.post("/steps/{step}/retry", status_code=202, response_model=None, responses=_RESPONSES)
async def retry_step(
    run: str,
    step: str,
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    accept: Annotated[str, Header()] = "",
    idempotency_key: _Key = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Take a step anew, and all that depends on it: a new run, with `parent_run_id`. 409 while the run is running.

    The other steps are shown again, and cost nothing.
    """
    command = asked.ForkAssistantRun(
        owner=owner,
        run_id=new_id("arc"),
        parent_run_id=assistant_run_id(run),
        step=step_name(step),
        idempotency_key=idempotency_key,
    )
    return await start_run(gateway, caller, command, command.run_id, accept, last_event_id, accepted)


@router.post("/fork", status_code=202, response_model=None, responses=_RESPONSES)
async def fork_run(
    run: str,
    body: NewRunFork,
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    accept: Annotated[str, Header()] = "",
    idempotency_key: _Key = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Take a run anew from a step on, with other inputs, prompts or models: a new run, with `parent_run_id`.

    Only that step and what depends on it is asked again; the others are shown again, and cost nothing. 409 while the
    run is running.
    """
    command = asked.ForkAssistantRun(
        owner=owner,
        run_id=new_id("arc"),
        parent_run_id=assistant_run_id(run),
        step=step_name(body.step),
        inputs=body.inputs,
        changes=dict(body.steps),
        notify=body.notify,
        idempotency_key=idempotency_key,
    )
    return await start_run(gateway, caller, command, command.run_id, accept, last_event_id, accepted)


@router.post("/conversation", status_code=201, response_model=chat.Conversation)
async def continue_run(
    run: str, gateway: TheGateway, owner: TheOwner, response: Response, idempotency_key: _Key = None
) -> Any:
    """Go on with a run that has ended as a conversation: its steps' prompts and outputs are the first messages.

    They come in the order of the plan, without steps that have no output. The system prompt is that of the last one.
    The same run again gives the same conversation; with another `Idempotency-Key` a further one.
    """
    found: values.AssistantRun = await gateway.ask(asked.GetAssistantRun(owner=owner, run_id=assistant_run_id(run)))
    command = conversation_of_run(owner, found, idempotency_key)
    conversation = await gateway.ask(command)
    response.headers["location"] = f"/v1/conversations/{command.conversation_id}"
    return conversation

"""The runs of assistants: begin, list, and what a run would do."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from contracts import architect as asked
from contracts import architect_values as values
from kit.ids import new_id
from services.edge.assistant_run_bodies import AssistantRunAccepted, NewAssistantRun, NewDryRun, NewTrial, accepted
from services.edge.depends import Caller, TheGateway, TheOwner
from services.edge.gateway import assistant_id, page_mark
from services.edge.starting import described, start_run

router = APIRouter(prefix="/v1/assistants", tags=["assistants"])

_RESPONSES = described(AssistantRunAccepted, "The run has begun.")
_Key = Annotated[str | None, Header(min_length=1, max_length=255)]


@router.post("/dry-run", response_model=values.DryRun)
async def try_definition(body: NewTrial, gateway: TheGateway, owner: TheOwner) -> Any:
    """What a run of a definition that is not saved would ask, and cost. No model is asked."""
    return await gateway.ask(asked.TryAssistant(owner=owner, definition=body.definition, inputs=body.inputs))


@router.post("/{assistant}/dry-run", response_model=values.DryRun)
async def try_assistant(assistant: str, gateway: TheGateway, owner: TheOwner, body: NewDryRun | None = None) -> Any:
    """What a run of an assistant would ask with these inputs, and cost. No model is asked."""
    wish, key = body or NewDryRun(), assistant_id(assistant)
    return await gateway.ask(
        asked.TryAssistant(owner=owner, assistant_id=key, version=wish.version, inputs=wish.inputs)
    )


@router.post("/{assistant}/runs", status_code=202, response_model=None, responses=_RESPONSES)
async def start_assistant_run(
    assistant: str,
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    body: NewAssistantRun | None = None,
    accept: Annotated[str, Header()] = "",
    idempotency_key: _Key = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Run an assistant.

    `run.created` has the plan (`steps`). Then come the steps as events in the lane `run`, and their answers in lanes of
    their own, those of steps side by side by turns. With `Accept: text/event-stream` the response is the run's event
    stream, otherwise 202 says where it is. Closing the connection does not stop the run. The same `Idempotency-Key`
    sent again gives the same run, and 409 if other inputs come with it.
    """
    wish = body or NewAssistantRun()
    command = asked.StartAssistantRun(
        owner=owner,
        run_id=new_id("arc"),
        assistant_id=assistant_id(assistant),
        version=wish.version,
        inputs=wish.inputs,
        notify=wish.notify,
        idempotency_key=idempotency_key,
    )
    return await start_run(gateway, caller, command, command.run_id, accept, last_event_id, accepted)


@router.get("/{assistant}/runs", response_model=values.AssistantRunPage)
async def list_assistant_runs(
    assistant: str,
    gateway: TheGateway,
    owner: TheOwner,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: str | None = None,
) -> Any:
    """Your runs of an assistant, newest first, without their steps."""
    key = assistant_id(assistant)
    return await gateway.ask(
        asked.ListAssistantRuns(owner=owner, assistant_id=key, limit=limit, before=page_mark(before))
    )

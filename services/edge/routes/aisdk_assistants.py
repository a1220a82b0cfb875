"""Assistants for the Vercel AI SDK: a run as one message with a part for each step. The predecessor's address too."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic_core import PydanticSerializationError

from contracts.architect import StartAssistantRun
from contracts.architect_assistants import GetAssistant
from contracts.architect_values import AssistantRunStarted
from contracts.ids import orchestrator_of
from kit.ids import new_id
from kit.refusal import Refused
from kit.telemetry.spans import note
from services.edge.aisdk.assistant_body import AssistantBody, ExecuteBody
from services.edge.depends import Caller, TheGateway, TheOwner
from services.edge.follow import RUN_HEADER, Headers, Watch, begin_run, follow_run
from services.edge.gateway import Gateway, assistant_id, unsendable
from services.edge.wires.ui_assistant import UiAssistantWire

router = APIRouter(tags=["ai sdk"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "A UI message stream.", "content": {"text/event-stream": {}}}
}
_RESUMED: dict[int | str, dict[str, Any]] = {**_STREAM, 204: {"description": "There is nothing to resume."}}
_Key = Annotated[str | None, Header(min_length=1, max_length=255)]


@router.post("/api/assistants/{assistant}", response_model=None, responses=_STREAM)
async def post_assistant(
    assistant: str,
    body: AssistantBody,
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    idempotency_key: _Key = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Run an assistant, and stream its steps as one message of the AI SDK.

    `inputs` in the body are its fields. Without them the last message is the text of the assistant's only text field.
    The answer has a `data-step` part for each step, and text parts that name their lane. The run's id is in the
    message's metadata and in `x-studio-run-id`: it is what the stream is resumed by. The same message sent again is the
    same run. Closing the connection does not stop it.
    """
    key = assistant_id(assistant)
    inputs = body.inputs
    if inputs is None:
        inputs = body.said(await gateway.ask(GetAssistant(owner=owner, assistant_id=key, version=body.version)))
    try:
        again = idempotency_key or body.key(key)
    except PydanticSerializationError as error:
        raise unsendable(error) from error
    command = StartAssistantRun(
        owner=owner,
        run_id=new_id("arc"),
        assistant_id=key,
        version=body.version,
        inputs=inputs,
        notify=body.notify,
        idempotency_key=again,
    )
    return await _begin(gateway, caller, command, last_event_id)


@router.post("/api/assistant-architect/execute", response_model=None, responses=_STREAM)
async def execute(
    body: ExecuteBody, gateway: TheGateway, caller: Caller, owner: TheOwner, idempotency_key: _Key = None
) -> Response:
    """The predecessor's request. `toolId` is the id of an assistant here; the answer is that of the AI SDK."""
    command = StartAssistantRun(
        owner=owner,
        run_id=new_id("arc"),
        assistant_id=assistant_id(body.assistant_id),
        inputs=body.inputs,
        idempotency_key=idempotency_key,
    )
    return await _begin(gateway, caller, command, None)


@router.get("/api/assistants/{assistant}/stream", response_model=None, responses=_RESUMED)
async def resume_assistant(
    assistant: str,
    gateway: TheGateway,
    caller: Caller,
    run: Annotated[str, Query(description="the run's id, as the message's metadata has it")] = "",
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """A run of an assistant, from its start or from the cursor: while it goes on, and after its end.

    204 if it is unknown, or if the client has all of it.
    """
    if orchestrator_of(run) != "architect":
        return Response(status_code=204)
    wire = UiAssistantWire(last_event_id)
    try:
        return await follow_run(gateway, Watch(caller, wire, resume=wire.resume), run, None, _named(run))
    except Refused as refused:
        if refused.problem.code != "unknown_run":
            raise
        return Response(status_code=204)


async def _begin(gateway: Gateway, caller: Caller, command: StartAssistantRun, cursor: str | None) -> Response:
    note("studio.run", command.run_id)
    wire = UiAssistantWire(cursor)
    watch = Watch(caller, wire, headers=_headers, resume=wire.resume)
    return await begin_run(gateway, watch, command, command.run_id, None)


def _headers(started: AssistantRunStarted) -> Headers:
    return _named(started.run_id)


def _named(run_id: str) -> Headers:
    return [(RUN_HEADER.encode(), run_id.encode())]

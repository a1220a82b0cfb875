"""Sending a message, or asking for another answer: both start a run, and may stream it at once."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse

from contracts import chat
from kit.auth.principal import Principal
from kit.ids import new_id
from kit.telemetry.spans import note
from services.edge.bodies import Accepted, NewAnswer, NewMessage
from services.edge.depends import Caller, TheGateway, TheOwner
from services.edge.follow import Watch, begin_run, native_cursor
from services.edge.gateway import Gateway, conversation_id, message_id
from services.edge.wires.native import NativeWire

router = APIRouter(tags=["messages"])

NEW = "new"
"""In place of a conversation's id: begin one with this message."""

EVENT_STREAM = "text/event-stream"

_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "With `Accept: text/event-stream`: the run's events.", "content": {EVENT_STREAM: {}}},
    202: {"model": Accepted, "description": "The run has begun."},
}
_Key = Annotated[str | None, Header(min_length=1, max_length=255)]


@router.post("/v1/conversations/{conversation}/messages", status_code=202, response_model=None, responses=_RESPONSES)
async def send_message(
    conversation: str,
    body: NewMessage,
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    accept: Annotated[str, Header()] = "",
    idempotency_key: _Key = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Send a message and start the run that answers it.

    `new` in place of the conversation's id begins one. With `Accept: text/event-stream` the response is the run's
    event stream, otherwise 202 says where it is. Closing the connection does not stop the run. The same
    `Idempotency-Key` sent again gives the same run, and 409 if the message is another one.

    A run that waits (`"on_busy": "queue"`) tells `run.queued` first. `edits` begins a branch beside a message, `after`
    follows any message; PATCH the conversation's `head_id` to show another branch.
    """
    begin = conversation == NEW
    command = chat.SendMessage(
        owner=owner,
        conversation_id=new_id("conv") if begin else conversation_id(conversation),
        create=begin,
        run_id=new_id("chat"),
        content=body.content,
        images=tuple(image.image() for image in body.images),
        tool_results=body.tool_results,
        client_id=body.client_id,
        edits=body.edits,
        after=body.after,
        on_busy=body.on_busy,
        model=body.model,
        fallbacks=body.fallbacks,
        system=body.system,
        parameters=body.parameters,
        timeouts=body.timeouts,
        idempotency_key=idempotency_key,
    )
    return await _begun(gateway, caller, command, accept, last_event_id)


@router.post(
    "/v1/conversations/{conversation}/messages/{message}/regenerate",
    status_code=202,
    response_model=None,
    responses=_RESPONSES,
)
async def regenerate(
    conversation: str,
    message: str,
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    body: NewAnswer | None = None,
    accept: Annotated[str, Header()] = "",
    idempotency_key: _Key = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Answer a message once more, beside the answers there are. `message` is the answer, or the message it answers.

    The response is like that of a message that is sent.
    """
    asked = body or NewAnswer()
    command = chat.Regenerate(
        owner=owner,
        conversation_id=conversation_id(conversation),
        message_id=message_id(message),
        run_id=new_id("chat"),
        on_busy=asked.on_busy,
        model=asked.model,
        fallbacks=asked.fallbacks,
        parameters=asked.parameters,
        timeouts=asked.timeouts,
        idempotency_key=idempotency_key,
    )
    return await _begun(gateway, caller, command, accept, last_event_id)


async def _begun(
    gateway: Gateway, caller: Principal, command: chat.SendMessage | chat.Regenerate, accept: str, cursor: str | None
) -> Response:
    note("studio.run", command.run_id)
    if EVENT_STREAM not in accept:
        return _accepted(await gateway.ask(command))
    watch = Watch(caller, NativeWire(), headers=lambda started: [(b"location", _location(started).encode())])
    return await begin_run(gateway, watch, command, command.run_id, native_cursor(cursor))


def _location(started: chat.RunStarted) -> str:
    return f"/v1/runs/{started.run_id}"


def _accepted(started: chat.RunStarted) -> Response:
    location = _location(started)
    body = Accepted(
        run_id=started.run_id,
        conversation_id=started.conversation_id,
        message_id=started.message_id,
        events_url=f"{location}/events",
    )
    return JSONResponse(body.model_dump(), 202, headers={"location": location})

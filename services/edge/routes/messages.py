"""Sending a message, or asking for another answer: both start a run, and may stream it at once."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from contracts import chat
from kit.ids import new_id
from services.edge.bodies import Accepted, NewAnswer, NewMessage
from services.edge.depends import Caller, TheGateway, TheOwner
from services.edge.gateway import conversation_id, message_id
from services.edge.starting import described, start_run

router = APIRouter(tags=["messages"])

NEW = "new"
"""In place of a conversation's id: begin one with this message."""

_RESPONSES = described(Accepted, "The run has begun.")
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
        notify=body.notify,
        idempotency_key=idempotency_key,
    )
    return await start_run(gateway, caller, command, command.run_id, accept, last_event_id, _accepted)


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
        notify=asked.notify,
        idempotency_key=idempotency_key,
    )
    return await start_run(gateway, caller, command, command.run_id, accept, last_event_id, _accepted)


def _accepted(started: chat.RunStarted, events_url: str) -> Accepted:
    return Accepted(
        run_id=started.run_id,
        conversation_id=started.conversation_id,
        message_id=started.message_id,
        events_url=events_url,
    )

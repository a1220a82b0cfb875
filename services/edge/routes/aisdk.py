"""The chat of the Vercel AI SDK: `useChat` works with these addresses unmodified, in versions 4 to 7.

The predecessor's addresses mean the same.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from contracts import chat
from kit.clock import utc_now
from kit.ids import new_id
from kit.refusal import Refused
from services.edge.aisdk.body import ChatBody
from services.edge.aisdk.command import Asked
from services.edge.chat_ids import conversation_of
from services.edge.depends import Caller, TheGateway, TheOwner
from services.edge.follow import RUN_HEADER, Watch, begin_run, follow_run
from services.edge.gateway import Gateway
from services.edge.wires.data_stream import DataStreamWire
from services.edge.wires.ui_message import UiMessageWire

router = APIRouter(tags=["ai sdk"])

_UNKNOWN = frozenset({"unknown_conversation", "unknown_run"})

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A UI message stream, or, to AI SDK 4, a data stream.",
        "content": {"text/event-stream": {}, "text/plain": {}},
    }
}
_RESUMED: dict[int | str, dict[str, Any]] = {**_STREAM, 204: {"description": "There is nothing to resume."}}


@router.post("/api/chat", response_model=None, responses=_STREAM)
@router.post("/api/nexus/chat", response_model=None, responses=_STREAM)
async def post_chat(
    body: ChatBody,
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Send the last message of `messages`, or regenerate, and stream the answer.

    The chat's `id` is the client's own; the history is kept here, and only what is new is taken from the request. The
    same message sent again gives the same answer's stream. A body without `trigger`, as of AI SDK 4, or with
    `streamProtocol: "data"` is answered with a data stream. Closing the connection does not stop the answer.
    """
    conversation = conversation_of(owner, body.chat_id)
    asked = Asked(body, owner, conversation, gateway.settings.edge.chat_on_busy, idempotency_key)
    command = asked.command(new_id("chat"))

    async def again(started: chat.RunStarted) -> Any:
        newest = await gateway.ask(chat.LatestRun(owner=owner, conversation_id=conversation))
        return asked.again(new_id("chat"), started, newest)

    if body.speaks_data_stream:
        watch = Watch(caller, DataStreamWire(asked.goes_on), headers=_headers, again=again)
    else:
        wire = UiMessageWire(asked.goes_on, last_event_id)
        watch = Watch(caller, wire, headers=_headers, again=again, resume=wire.resume)
    try:
        return await begin_run(gateway, watch, command, command.run_id, None)
    except Refused as refused:
        other = asked.otherwise(new_id("chat"), refused.problem.code)
        if other is None:
            raise
    return await begin_run(gateway, watch, other, other.run_id, None)


@router.get("/api/chat/{chat_id:path}/stream", response_model=None, responses=_RESUMED)
@router.get("/api/nexus/chat/{chat_id:path}/stream", response_model=None, responses=_RESUMED)
async def resume_chat(
    chat_id: str,
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """The chat's newest answer, from its start or from the cursor: while it goes on, and after its end.

    204 if the chat is unknown, or has nothing to resume.
    """
    wire = UiMessageWire(last_event_id=last_event_id)
    found = await _resumed(gateway, Watch(caller, wire, resume=wire.resume), owner, chat_id)
    return found or Response(status_code=204)


@router.get("/api/chat", response_model=None, responses=_STREAM)
@router.get("/api/nexus/chat", response_model=None, responses=_STREAM)
async def resume_data_stream(
    gateway: TheGateway, caller: Caller, owner: TheOwner, chat_id: Annotated[str, Query(alias="chatId")]
) -> Response:
    """The same as a data stream, for AI SDK 4. Empty if there is nothing to resume: it does not accept 204."""
    wire = DataStreamWire()
    found = await _resumed(gateway, Watch(caller, wire), owner, chat_id)
    return found or Response(headers={name.decode(): value.decode() for name, value in wire.headers})


@router.post("/api/chat/{chat_id:path}/stop", response_model=chat.Run)
@router.post("/api/nexus/chat/{chat_id:path}/stop", response_model=chat.Run)
async def stop_chat(chat_id: str, gateway: TheGateway, owner: TheOwner) -> Any:
    """Stop the chat's answer, and those that wait. What was written is kept: it is in the answer to this."""
    conversation = conversation_of(owner, chat_id)
    return await gateway.ask(chat.StopConversation(owner=owner, conversation_id=conversation))


async def _resumed(gateway: Gateway, watch: Watch, owner: TheOwner, chat_id: str) -> Response | None:
    conversation = conversation_of(owner, chat_id)
    try:
        run: chat.Run = await gateway.ask(chat.LatestRun(owner=owner, conversation_id=conversation))
        if _is_over(run, gateway.settings.edge.replay_after_end_seconds):
            return None
        headers = _named(conversation, run.id)
        return await follow_run(gateway, watch, run.id, None, headers)
    except Refused as refused:
        if refused.problem.code in _UNKNOWN:
            return None
        raise


def _is_over(run: chat.Run, seconds: float | None) -> bool:
    return seconds is not None and run.ended_at is not None and (utc_now() - run.ended_at).total_seconds() > seconds


def _headers(started: chat.RunStarted) -> list[tuple[bytes, bytes]]:
    return _named(started.conversation_id, started.run_id)


def _named(conversation: str, run_id: str) -> list[tuple[bytes, bytes]]:
    return [(b"x-conversation-id", conversation.encode()), (RUN_HEADER.encode(), run_id.encode())]

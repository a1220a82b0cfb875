"""Conversations and their messages."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from contracts import chat
from kit.ids import new_id
from services.edge.bodies import ConversationChange, NewConversation, NewFork
from services.edge.depends import Caller, TheGateway, TheOwner
from services.edge.gateway import conversation_id, message_id, page_mark, run_key

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])

Limit = Annotated[int, Query(ge=1, le=200)]


@router.post("", status_code=201, response_model=chat.Conversation)
async def create_conversation(body: NewConversation, gateway: TheGateway, owner: TheOwner, response: Response) -> Any:
    """Begin an empty conversation."""
    new = new_id("conv")
    response.headers["location"] = f"/v1/conversations/{new}"
    return await gateway.ask(
        chat.CreateConversation(owner=owner, conversation_id=new, title=body.title, system=body.system)
    )


@router.get("", response_model=chat.ConversationPage)
async def list_conversations(
    gateway: TheGateway,
    owner: TheOwner,
    limit: Limit = 50,
    before: str | None = None,
    search: Annotated[
        str | None, Query(max_length=200, description="words, all in the title or in one message")
    ] = None,
    pinned: bool | None = None,
    archived: bool = False,
) -> Any:
    """Your conversations, newest first; those that are archived by themselves."""
    return await gateway.ask(
        chat.ListConversations(
            owner=owner, limit=limit, before=page_mark(before), search=search, pinned=pinned, archived=archived
        )
    )


@router.get("/{conversation}", response_model=chat.Conversation)
async def get_conversation(conversation: str, gateway: TheGateway, owner: TheOwner) -> Any:
    """One conversation."""
    return await gateway.ask(chat.GetConversation(owner=owner, conversation_id=conversation_id(conversation)))


@router.patch("/{conversation}", response_model=chat.Conversation)
async def update_conversation(conversation: str, body: ConversationChange, gateway: TheGateway, owner: TheOwner) -> Any:
    """Rename a conversation, change its system prompt, pin or archive it, or show another of its branches."""
    return await gateway.ask(
        chat.UpdateConversation(
            owner=owner,
            conversation_id=conversation_id(conversation),
            title=body.title,
            system=body.system,
            pinned=body.pinned,
            archived=body.archived,
            head_id=None if body.head_id is None else message_id(body.head_id),
        )
    )


@router.delete("/{conversation}", status_code=204, response_model=None)
async def delete_conversation(conversation: str, gateway: TheGateway, owner: TheOwner) -> Response:
    """Delete a conversation with its messages and runs. 409 while an answer is running."""
    await gateway.ask(chat.DeleteConversation(owner=owner, conversation_id=conversation_id(conversation)))
    return Response(status_code=204)


@router.post("/{conversation}/fork", status_code=201, response_model=chat.Conversation)
async def fork_conversation(
    conversation: str, gateway: TheGateway, owner: TheOwner, response: Response, body: NewFork | None = None
) -> Any:
    """Copy a conversation up to a message into a new one."""
    new = new_id("conv")
    key = conversation_id(conversation)
    until = None if body is None or body.message_id is None else message_id(body.message_id)
    fork = await gateway.ask(
        chat.ForkConversation(owner=owner, conversation_id=key, new_conversation_id=new, message_id=until)
    )
    response.headers["location"] = f"/v1/conversations/{new}"
    return fork


@router.get("/{conversation}/runs/latest", response_model=chat.Run)
async def latest_run(conversation: str, gateway: TheGateway, caller: Caller, owner: TheOwner) -> Any:
    """The newest run of a conversation, with its text so far: what a client follows after a reload."""
    run: chat.Run = await gateway.ask(chat.LatestRun(owner=owner, conversation_id=conversation_id(conversation)))
    if run.ended_at is not None:
        gateway.audience.saw(run_key(caller, run.id))
    return run


@router.post("/{conversation}/stop", response_model=chat.Run)
async def stop_conversation(conversation: str, gateway: TheGateway, owner: TheOwner) -> Any:
    """Stop the run that is going in a conversation, and those that wait. The newest run, as it is then."""
    return await gateway.ask(chat.StopConversation(owner=owner, conversation_id=conversation_id(conversation)))


@router.get("/{conversation}/messages", response_model=chat.MessagePage)
async def list_messages(
    conversation: str,
    gateway: TheGateway,
    caller: Caller,
    owner: TheOwner,
    limit: Limit = 100,
    after: str | None = None,
    all_branches: bool = False,
) -> Any:
    """The messages of the branch that is shown, oldest first. An answer appears when its run has ended.

    Messages that wait for their turn come last, with the status `queued`.
    """
    key = conversation_id(conversation)
    page: chat.MessagePage = await gateway.ask(
        chat.ListMessages(
            owner=owner, conversation_id=key, limit=limit, after=page_mark(after), all_branches=all_branches
        )
    )
    answered = [message.run_id for message in page.items if message.role == "assistant" and message.run_id is not None]
    if answered and page.next is None:  # who comes back after the newest answer's end sees it here
        gateway.audience.saw(run_key(caller, answered[-1]))
    return page

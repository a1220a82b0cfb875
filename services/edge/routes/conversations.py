"""Conversations and their messages."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from contracts import chat
from kit.ids import new_id
from services.edge.bodies import ConversationChange, NewConversation
from services.edge.depends import TheGateway, TheOwner
from services.edge.gateway import conversation_id, page_mark

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
async def list_conversations(gateway: TheGateway, owner: TheOwner, limit: Limit = 50, before: str | None = None) -> Any:
    """Your conversations, newest first."""
    return await gateway.ask(chat.ListConversations(owner=owner, limit=limit, before=page_mark(before)))


@router.get("/{conversation}", response_model=chat.Conversation)
async def get_conversation(conversation: str, gateway: TheGateway, owner: TheOwner) -> Any:
    """One conversation."""
    return await gateway.ask(chat.GetConversation(owner=owner, conversation_id=conversation_id(conversation)))


@router.patch("/{conversation}", response_model=chat.Conversation)
async def update_conversation(conversation: str, body: ConversationChange, gateway: TheGateway, owner: TheOwner) -> Any:
    """Rename a conversation or change its system prompt."""
    return await gateway.ask(
        chat.UpdateConversation(
            owner=owner, conversation_id=conversation_id(conversation), title=body.title, system=body.system
        )
    )


@router.delete("/{conversation}", status_code=204, response_model=None)
async def delete_conversation(conversation: str, gateway: TheGateway, owner: TheOwner) -> Response:
    """Delete a conversation with its messages and runs. 409 while an answer is running."""
    await gateway.ask(chat.DeleteConversation(owner=owner, conversation_id=conversation_id(conversation)))
    return Response(status_code=204)


@router.get("/{conversation}/messages", response_model=chat.MessagePage)
async def list_messages(
    conversation: str, gateway: TheGateway, owner: TheOwner, limit: Limit = 100, after: str | None = None
) -> Any:
    """The messages of a conversation, oldest first. An answer appears when its run has ended."""
    key = conversation_id(conversation)
    return await gateway.ask(chat.ListMessages(owner=owner, conversation_id=key, limit=limit, after=page_mark(after)))

"""What belongs to a message: its images, and what its reader thinks of it."""

import base64
from typing import Any

from fastapi import APIRouter, Response

from contracts import chat
from contracts.ids import is_id
from kit.refusal import Refused
from services.edge.bodies import NewRating
from services.edge.depends import TheGateway, TheOwner
from services.edge.gateway import conversation_id, message_id

router = APIRouter(prefix="/v1/conversations/{conversation}", tags=["messages"])

UNKNOWN_ATTACHMENT = "There is no such attachment in this conversation."
KEPT_SECONDS = 3600
"""An image never changes, but it goes with its conversation."""

_IMAGE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The image.", "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.put("/messages/{message}/rating", response_model=chat.ChatMessage)
async def rate_message(conversation: str, message: str, body: NewRating, gateway: TheGateway, owner: TheOwner) -> Any:
    """Rate an answer up or down, with a comment if you like. It replaces the rating before."""
    return await gateway.ask(
        chat.RateMessage(
            owner=owner,
            conversation_id=conversation_id(conversation),
            message_id=message_id(message),
            rating=chat.Rating(value=body.value, comment=body.comment),
        )
    )


@router.delete("/messages/{message}/rating", response_model=chat.ChatMessage)
async def unrate_message(conversation: str, message: str, gateway: TheGateway, owner: TheOwner) -> Any:
    """Take a rating back."""
    return await gateway.ask(
        chat.RateMessage(owner=owner, conversation_id=conversation_id(conversation), message_id=message_id(message))
    )


@router.get("/attachments/{attachment}", response_model=None, responses=_IMAGE)
async def get_attachment(conversation: str, attachment: str, gateway: TheGateway, owner: TheOwner) -> Response:
    """An image as it was sent; its id is in the message."""
    key = conversation_id(conversation)
    if not is_id(attachment):
        raise Refused("unknown_attachment", UNKNOWN_ATTACHMENT)
    found: chat.Attachment = await gateway.ask(
        chat.GetAttachment(owner=owner, conversation_id=key, attachment=attachment)
    )
    headers = {
        "cache-control": f"private, max-age={KEPT_SECONDS}, immutable",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return Response(base64.b64decode(found.data), media_type=found.media_type, headers=headers)

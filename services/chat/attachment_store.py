"""Reading the images that are kept with a conversation."""

from collections.abc import Sequence

from contracts.message import Owner
from kit.db.database import Database
from kit.db.statement import Statement
from services.chat.begin_store import Attachment

_KEPT = Statement("""
    SELECT id, media_type, data FROM chat.attachment
    WHERE conversation_id = :conversation_id AND id = ANY (CAST(:ids AS text[]))
""")
_ONE = Statement("""
    SELECT a.id, a.media_type, a.data FROM chat.attachment a JOIN chat.conversation c ON c.id = a.conversation_id
    WHERE c.id = :conversation_id AND c.tenant = :tenant AND c."user" = :user AND NOT c.hidden AND a.id = :id
""")


async def kept(database: Database, conversation_id: str, ids: Sequence[str]) -> dict[str, Attachment]:
    """By id, those of some attachments that are there."""
    rows = await database.fetch(_KEPT, {"conversation_id": conversation_id, "ids": list(ids)})
    return {row["id"]: Attachment(**row) for row in rows}


async def one(database: Database, owner: Owner, conversation_id: str, attachment_id: str) -> Attachment | None:
    """An attachment of the owner's conversation."""
    values = {"conversation_id": conversation_id, "tenant": owner.tenant, "user": owner.user, "id": attachment_id}
    rows = await database.fetch(_ONE, values)
    return Attachment(**rows[0]) if rows else None

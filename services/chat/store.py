"""Reading and writing the tables of chat. Every query names the owner; none commits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, ColumnElement, Text, and_, cast, delete, exists, func, or_, text, true
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.chat import ListConversations, Regenerate, SendMessage
from contracts.completions import StartCompletion
from contracts.message import Owner
from kit.refusal import Refused
from services.chat.models import ConversationRow, MessageRow, RunRow
from services.chat.purge_store import DELETE_RUNS

UNKNOWN_CONVERSATION = "There is no such conversation."
UNKNOWN_MESSAGE = "There is no such message in this conversation."


def _owned(table: type[ConversationRow] | type[RunRow], owner: Owner) -> ColumnElement[bool]:
    return and_(col(table.tenant) == owner.tenant, col(table.user) == owner.user)


async def conversation(
    session: AsyncSession, owner: Owner, conversation_id: str, *, lock: bool = False
) -> ConversationRow | None:
    """One conversation of an owner, locked against other messages if asked."""
    query = select(ConversationRow).where(
        col(ConversationRow.id) == conversation_id, _owned(ConversationRow, owner), ~col(ConversationRow.hidden)
    )
    return (await session.exec(query.with_for_update() if lock else query)).one_or_none()


async def owned(session: AsyncSession, owner: Owner, conversation_id: str, *, lock: bool = False) -> ConversationRow:
    """A conversation of the owner; somebody else's is refused like one that does not exist."""
    row = await conversation(session, owner, conversation_id, lock=lock)
    if row is None:
        raise Refused("unknown_conversation", UNKNOWN_CONVERSATION)
    return row


async def conversations(
    session: AsyncSession, query: ListConversations, words: Sequence[str]
) -> Sequence[ConversationRow]:
    """A page, newest first. `words` must all be in the title, or all in one message.

    They are looked for in the texts as they are. An index over all words of all answers would cost every answer more
    than a search costs its owner: a thousand conversations are read in some tenths of a second.
    """
    wanted = [_owned(ConversationRow, query.owner), ~col(ConversationRow.hidden)]
    wanted.append(col(ConversationRow.archived) == query.archived)
    if query.pinned is not None:
        wanted.append(col(ConversationRow.pinned) == query.pinned)
    if query.before is not None:
        wanted.append(col(ConversationRow.id) < query.before)
    if words:
        messages = exists().where(col(MessageRow.conversation_id) == col(ConversationRow.id))
        in_one = messages.where(*(_says(col(MessageRow.content), word) for word in words))
        wanted.append(or_(and_(*(_says(col(ConversationRow.title), word) for word in words)), in_one))
    rows = select(ConversationRow).where(*wanted).order_by(col(ConversationRow.id).desc()).limit(query.limit)
    return (await session.exec(rows)).all()


def _says(column: Any, word: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.icontains(word, autoescape=True)
    return found


async def delete_conversation(session: AsyncSession, conversation_id: str) -> None:
    """Delete a conversation with its messages and runs, and order the purge of what the log has of them."""
    connection = await session.connection()
    await connection.execute(text(DELETE_RUNS), {"conversation_id": conversation_id})
    await session.exec(delete(ConversationRow).where(col(ConversationRow.id) == conversation_id))


async def message_page(
    session: AsyncSession, row: ConversationRow, limit: int, after: int, max_characters: int, *, all_branches: bool
) -> tuple[Sequence[MessageRow], bool]:
    """Messages after a position, oldest first, and whether there are more: of the branch that is shown and those that
    wait, or all.

    At most `limit`, and at most `max_characters` of text (but always one).
    """
    size = func.length(MessageRow.content) + func.coalesce(func.length(MessageRow.reasoning), 0)
    size += func.coalesce(func.length(cast(MessageRow.tool_results, Text)), 0)
    size += func.coalesce(func.length(cast(MessageRow.tool_calls, Text)), 0)
    wanted = [col(MessageRow.conversation_id) == row.id]
    if not all_branches:
        path = path_to(row.head_id)
        wanted.append(or_(col(MessageRow.id).in_(select(path.c.id)), col(MessageRow.status) == "queued"))
    sizes = (
        select(col(MessageRow.position), size)
        .where(*wanted, col(MessageRow.position) > after)
        .order_by(col(MessageRow.position))
        .limit(limit + 1)
    )
    total, last, more = 0, after, False
    for number, (position, characters) in enumerate(await session.exec(sizes)):
        total += characters
        if number == limit or (number and total > max_characters):
            more = True
            break
        last = position
    page = select(MessageRow).where(*wanted, col(MessageRow.position).between(after + 1, last))
    return (await session.exec(page.order_by(col(MessageRow.position)))).all(), more


def path_to(head_id: str | None) -> CTE:
    """A message and all before it."""
    head = select(col(MessageRow.id), col(MessageRow.parent_id)).where(col(MessageRow.id) == head_id)
    path = head.cte("path", recursive=True)
    # The limit keeps the planner from reading the whole table at each step: see path_store.
    one = select(col(MessageRow.id), col(MessageRow.parent_id)).where(col(MessageRow.id) == path.c.parent_id)
    before = one.limit(1).lateral("before")
    return path.union_all(select(before.c.id, before.c.parent_id).select_from(path.join(before, true())))


async def run(session: AsyncSession, owner: Owner, run_id: str, *, lock: bool = False) -> RunRow | None:
    """One run of an owner, locked if asked."""
    query = select(RunRow).where(col(RunRow.id) == run_id, _owned(RunRow, owner))
    return (await session.exec(query.with_for_update() if lock else query)).one_or_none()


async def run_of(session: AsyncSession, command: SendMessage | Regenerate | StartCompletion) -> RunRow | None:
    """The run that this very request has started already, found by its id or its idempotency key."""
    same = col(RunRow.id) == command.run_id
    if command.idempotency_key is not None:
        same = or_(same, col(RunRow.idempotency_key) == command.idempotency_key)
    return (await session.exec(select(RunRow).where(same, _owned(RunRow, command.owner)))).first()


async def going(session: AsyncSession, owner: Owner, conversation_id: str) -> Sequence[RunRow]:
    """The runs that go on, or wait, in a conversation."""
    query = select(RunRow).where(
        col(RunRow.conversation_id) == conversation_id,
        _owned(RunRow, owner),
        or_(col(RunRow.status) == "running", col(RunRow.status) == "queued"),
    )
    return (await session.exec(query.order_by(col(RunRow.position)))).all()


async def latest_run(session: AsyncSession, conversation_id: str) -> RunRow | None:
    """The newest run of a conversation."""
    query = select(RunRow).where(col(RunRow.conversation_id) == conversation_id)
    return (await session.exec(query.order_by(col(RunRow.position).desc()).limit(1))).first()


async def run_at(session: AsyncSession, conversation_id: str, position: int) -> RunRow | None:
    """The run whose answer has this position."""
    query = select(RunRow).where(col(RunRow.conversation_id) == conversation_id, col(RunRow.position) == position)
    return (await session.exec(query)).one_or_none()


async def message(
    session: AsyncSession, conversation_id: str, message_id: str, *, lock: bool = False
) -> MessageRow | None:
    """A message of a conversation, locked if asked; one that waits is not there yet."""
    query = select(MessageRow).where(
        col(MessageRow.id) == message_id,
        col(MessageRow.conversation_id) == conversation_id,
        col(MessageRow.status) != "queued",
    )
    return (await session.exec(query.with_for_update() if lock else query)).one_or_none()


async def message_of_client(session: AsyncSession, command: SendMessage) -> MessageRow | None:
    """The message of the owner's conversation that has the client's id of this one."""
    query = select(MessageRow).join(ConversationRow, col(ConversationRow.id) == col(MessageRow.conversation_id))
    query = query.where(
        _owned(ConversationRow, command.owner),
        col(MessageRow.conversation_id) == command.conversation_id,
        col(MessageRow.client_id) == command.client_id,
    )
    return (await session.exec(query)).one_or_none()


async def runs(
    session: AsyncSession, owner: Owner, limit: int, before: str | None
) -> Sequence[tuple[RunRow, str | None]]:
    """A page, newest first, each with what it has cost if it has ended and that is known."""
    reply = col(MessageRow.id) == col(RunRow.message_id)
    query = select(RunRow, MessageRow.cost_usd).join(MessageRow, reply, isouter=True).where(_owned(RunRow, owner))
    if before is not None:
        query = query.where(col(RunRow.id) < before)
    found = await session.exec(query.order_by(col(RunRow.id).desc()).limit(limit))
    return [(row, cost_usd) for row, cost_usd in found]


async def reply(session: AsyncSession, row: RunRow) -> MessageRow | None:
    """The assistant's message of a run."""
    return await session.get(MessageRow, row.message_id)


async def undispatched(session: AsyncSession, before: datetime, limit: int) -> Sequence[RunRow]:
    """Runs whose messages may not have reached the bus, skipping those another replica looks at."""
    query = (
        select(RunRow)
        .where(
            col(RunRow.dispatched_at).is_(None),
            or_(col(RunRow.status) != "queued", col(RunRow.announced_at).is_(None)),
            func.coalesce(col(RunRow.promoted_at), col(RunRow.created_at)) < before,
        )
        .order_by(col(RunRow.created_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.exec(query)).all()

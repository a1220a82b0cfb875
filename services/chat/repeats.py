"""Requests that come again: the same idempotency key, or the same client's id of a message, give the same run."""

from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.chat import Regenerate, SendMessage
from kit.db.database import Database
from kit.refusal import Refused
from services.chat import store
from services.chat.beginning import check_repeated
from services.chat.models import RunRow
from services.chat.questions import Question, same

IN_PROGRESS = "An answer is still running in this conversation. Wait for it or cancel it."


class Release(NamedTuple):
    """A message that gives up its client's id: the one that is sent takes its place under this id."""

    message_id: str


class Repeats:
    """Looks for the run that a request has started before."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def earlier(
        self, command: SendMessage | Regenerate, asked: Question | None, fingerprint: str | None
    ) -> RunRow | Release | None:
        """The run of an earlier request like this; None if there is none. Refused if that one asked for something else.

        A client that edits a message may keep its id.
        """

        async def work(session: AsyncSession) -> RunRow | Release | None:
            run = await store.run_of(session, command)
            if run is not None:
                return run if run.id == command.run_id else check_repeated(run, fingerprint)
            if not isinstance(command, SendMessage) or command.client_id is None or asked is None:
                return None
            message = await store.message_of_client(session, command)
            if message is None:
                return None
            if same(asked, message):
                run = await store.run_at(session, message.conversation_id, message.position + 1)
                if run is not None:
                    return run
            elif command.edits in (message.id, message.client_id):
                return Release(message.id)
            raise Refused("client_id_conflict", "Another message of this conversation has this client_id.")

        return await self._database.run(work)

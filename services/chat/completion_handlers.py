"""What chat does with each message about completions: answers to a context that the client brings along.

A completion is a run in a conversation that nobody is told of, so that runs, answers, purges and replays are the same.
"""

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from contracts.chat import Deleted, RunStarted
from contracts.completions import Completion, DeleteCompletion, GetCompletion, StartCompletion
from contracts.content import ToolUse, Turn
from contracts.message import Owner
from kit.clock import utc_now
from kit.db.database import Database
from kit.ids import new_id
from kit.orchestrate import wording
from kit.refusal import Refused
from kit.settings import ChatSettings
from kit.telemetry.context import trace_headers
from services.chat import attachment_store, begin_store, brought, images, store
from services.chat.begin_store import Attachment
from services.chat.beginning import Place, check_repeated, new_run, run_values
from services.chat.message_handlers import shown_message
from services.chat.models import AnyRun, MessageRow, RunRow
from services.chat.questions import fingerprint
from services.chat.run_handlers import UNKNOWN, RunHandlers
from services.chat.run_store import GOING
from services.chat.starter import Starter

MAX_LABELS = 17
"""The 16 of a client of OpenAI's protocols, and one that the edge keeps its own things in."""
MAX_LABEL_CHARACTERS = 512


class CompletionHandlers:
    """Start, show and delete completions."""

    def __init__(self, database: Database, starter: Starter, runs: RunHandlers, limits: ChatSettings) -> None:
        self._database, self._starter, self._runs, self._limits = database, starter, runs, limits

    async def on_start_completion(self, command: StartCompletion) -> RunStarted:
        """Store the run with its whole context, then put it on the bus."""
        turns, attachments = brought.keep(command.turns, self._limits)
        _check_labels(command.labels)
        choice = await self._starter.choose(command)
        if attachments and not choice.window.sees:
            raise Refused("images_not_supported", f"The model {choice.model} does not take images.")
        asked = fingerprint(command, begins=False) if command.idempotency_key is not None else None
        run = await self._begin(command, choice.model, turns, attachments, asked)
        return await self._starter.start(run, command)

    async def _begin(
        self,
        command: StartCompletion,
        model: str,
        turns: tuple[Turn, ...],
        attachments: list[Attachment],
        asked: str | None,
    ) -> AnyRun:
        before, earlier = await self._before(command)
        begins = next((number for number, turn in enumerate(turns) if turn.role != "system"), len(turns))
        context = (*turns[:begins], *before, *turns[begins:])
        place = Place(new_id("conv"), "completion", 0, None)
        run = new_run(command, model, place, context, message_id=new_id("msg"), now=utc_now())
        run.trace, run.fingerprint = trace_headers() or None, asked
        run.completion = {
            "after": command.after,
            "labels": command.labels,
            "begins": begins,
            "before": len(before),
        }
        copied_from = earlier.conversation_id if earlier is not None and images.names(before) else None
        try:
            values = run_values(run, place, None)
            await begin_store.begin(self._database, "completion", values, attachments, copied_from=copied_from)
        except begin_store.ConflictError as conflict:
            found = await self._database.run(lambda session: store.run_of(session, command))
            if found is None:
                raise Refused("invalid_request", "The id of this run is taken.") from conflict
            return found if found.id == command.run_id else check_repeated(found, asked)
        return run

    async def _before(self, command: StartCompletion) -> tuple[tuple[Turn, ...], RunRow | None]:
        """What was said in the completion that this one follows: its context and its answer, not its system prompt."""
        if command.after is None:
            return (), None
        run, reply = await self._load(command.owner, command.after)
        if run.status in GOING or reply is None:
            raise Refused("run_in_progress", "The completion that this one follows has not ended yet.")
        said = tuple(turn for turn in run.order().messages if turn.role != "system")
        calls = tuple(ToolUse(**call) for call in reply.tool_calls or ())
        if reply.content or calls:
            said = (*said, Turn(role="assistant", content=reply.content, tool_calls=calls))
        return said, run

    async def on_get_completion(self, query: GetCompletion) -> Completion:
        """What was asked, and the answer so far."""
        run, reply = await self._load(query.owner, query.run_id)
        known: dict[str, Any] = run.completion or {}
        order = run.order()
        kept = await attachment_store.kept(self._database, run.conversation_id, images.names(order.messages))
        first, behind = known["begins"], known["begins"] + known["before"]
        return Completion(
            run=await self._runs.shown(run, reply),
            asked=images.inlined((*order.messages[:first], *order.messages[behind:]), kept),
            after=known["after"],
            parameters=order.parameters,
            labels=known["labels"],
            answer=None if reply is None else shown_message(reply),
        )

    async def on_delete_completion(self, command: DeleteCompletion) -> Deleted:
        """Delete a completion. The purge of its log is ordered in the same transaction."""

        async def work(session: AsyncSession) -> None:
            run = await store.run(session, command.owner, command.run_id, lock=True)
            if run is None or not run.hidden:
                raise Refused("unknown_run", UNKNOWN)
            if run.status in GOING:
                raise Refused("run_in_progress", "This completion is still running. Cancel it first.")
            await store.delete_conversation(session, run.conversation_id)

        await self._database.run(work)
        return Deleted()

    async def _load(self, owner: Owner, run_id: str) -> tuple[RunRow, MessageRow | None]:
        run, reply = await self._runs.load(owner, run_id)
        if not run.hidden:
            raise Refused("unknown_run", UNKNOWN)
        return run, reply


def _check_labels(labels: dict[str, str]) -> None:
    if len(labels) > MAX_LABELS:
        raise Refused("too_many_labels", f"There are {len(labels)} labels; the limit is {MAX_LABELS}.")
    for name, value in labels.items():
        if max(len(name), len(value)) > MAX_LABEL_CHARACTERS:
            raise Refused("label_too_long", f"A label has more than {MAX_LABEL_CHARACTERS} characters.")
        wording.storable(name + value)

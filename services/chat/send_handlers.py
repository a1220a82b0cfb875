"""What chat does with a message that is sent, and with the wish for another answer: both start a run."""

from dataclasses import dataclass

from contracts.chat import Regenerate, RunStarted, SendMessage
from contracts.content import Turn
from kit.clock import utc_now
from kit.db.database import Database
from kit.ids import new_id
from kit.orchestrate import wording
from kit.refusal import Refused
from kit.settings import ChatSettings
from kit.telemetry.context import trace_headers
from services.chat import begin_store, checks, context, path_store, window
from services.chat.begin_store import Kind
from services.chat.beginning import Place, new_run, run_values
from services.chat.context import Past
from services.chat.models import AnyRun
from services.chat.path_store import Target
from services.chat.promoter import Promoter
from services.chat.questions import Question, check_results, fingerprint, question
from services.chat.repeats import IN_PROGRESS, Release, Repeats
from services.chat.starter import Choice, Starter
from services.chat.stopper import Stopper
from services.chat.store import UNKNOWN_CONVERSATION, UNKNOWN_MESSAGE

TRIES = 5
"""Each failure means that another message was stored at the same moment, or that another run was stopped."""


@dataclass
class _Wish:
    """What is wanted, checked; and what was learned while it was tried."""

    command: SendMessage | Regenerate
    question: Question | None
    choice: Choice
    fingerprint: str | None
    waits: bool = False
    release: str | None = None
    """The message that has to give up its client's id to this one."""
    taken: bool = False
    """There is a conversation of this id; if it is not the owner's, nothing is said of it."""


class SendHandlers:
    """Start runs in conversations."""

    def __init__(
        self,
        database: Database,
        starter: Starter,
        stopper: Stopper,
        promoter: Promoter,
        limits: ChatSettings,
    ) -> None:
        self._database, self._starter, self._stopper, self._promoter = database, starter, stopper, promoter
        self._limits, self._repeats = limits, Repeats(database)

    async def on_send_message(self, command: SendMessage) -> RunStarted:
        """Store the message and the run, then put the run on the bus."""
        asked, system = question(command, self._limits), checks.check_system(command.system)
        if system is not None and not (command.create or command.create_missing):
            raise Refused("system_not_allowed", "The conversation has begun: change its system prompt there.")
        if command.edits is not None and command.after is not None:
            raise Refused("invalid_message", "A message is beside another one (edits) or after it, not both.")
        for named in (command.edits, command.after):
            wording.storable(named or "")
        choice = await self._starter.choose(command)
        if asked.images and not choice.window.sees:
            raise Refused("images_not_supported", f"The model {choice.model} does not take images.")
        return await self._started(_Wish(command, asked, choice, self._print(command)))

    async def on_regenerate(self, command: Regenerate) -> RunStarted:
        """Store the run of another answer, then put it on the bus."""
        wording.storable(command.message_id or "")
        choice = await self._starter.choose(command)
        return await self._started(_Wish(command, None, choice, self._print(command)))

    def _print(self, command: SendMessage | Regenerate) -> str | None:
        begins = isinstance(command, SendMessage) and command.create
        return None if command.idempotency_key is None else fingerprint(command, begins=begins)

    async def _started(self, wish: _Wish) -> RunStarted:
        for _ in range(TRIES):
            run = await self._begin(wish)
            if run is not None:
                break
        else:
            raise Refused("run_in_progress", IN_PROGRESS)
        started = await self._starter.start(run, wish.command)
        if run.status == "queued":  # what it waits for may have ended meanwhile
            await self._promoter.promote(run.conversation_id)
        return started

    async def _begin(self, wish: _Wish) -> AnyRun | None:
        """Store the run and what it needs. None: the conversation moved meanwhile, look again.

        Nothing is locked: the tables' unique indexes let only one of two at the same moment through.
        """
        command = wish.command
        try:
            past, place = await self._place(wish)
            turns, omitted = self._turns(wish, past, place)
        except Refused:
            earlier = await self._repeats.earlier(command, wish.question, wish.fingerprint)
            if earlier is None or isinstance(earlier, Release):
                raise
            return earlier
        if past.waiting and not place.waits:
            return await self._resolve("run_in_progress", wish)
        run = new_run(command, wish.choice.model, place, turns, message_id=new_id("msg"), now=utc_now())
        run.trace, run.fingerprint, run.omitted_messages = trace_headers() or None, wish.fingerprint, omitted
        client_id = command.client_id if isinstance(command, SendMessage) else None
        values = run_values(run, place, wish.question, client_id)
        try:
            attachments = wish.question.attachments if wish.question else ()
            await begin_store.begin(self._database, place.kind, values, attachments, release=wish.release)
        except begin_store.ConflictError as conflict:
            return await self._resolve(conflict.constraint, wish)
        return run

    async def _place(self, wish: _Wish) -> tuple[Past, Place]:
        """What was said before, and where the run goes."""
        command, key = wish.command, wish.command.conversation_id
        if isinstance(command, SendMessage) and command.create:
            return self._new(command)
        target, of = _target(command)
        past = await path_store.past(self._database, command.owner, key, target, of)
        if past is None:
            if isinstance(command, SendMessage) and command.create_missing and of is None and not wish.taken:
                return self._new(command)
            raise Refused("unknown_conversation", UNKNOWN_CONVERSATION)
        if wish.waits and past.waiting >= self._limits.max_waiting_runs:
            raise Refused("too_many_waiting", f"{past.waiting} messages wait in this conversation already.")
        end = past.end
        if not past.known or (isinstance(command, Regenerate) and (end is None or end.role != "user")):
            raise Refused("unknown_message", UNKNOWN_MESSAGE)
        if isinstance(command, Regenerate):
            kind: Kind = "wait_again" if wish.waits else "again"
            return past, Place(key, kind, past.last_position, end.id if end else None)
        follows_head = wish.waits and target == "head"
        return past, Place(
            key,
            "wait" if wish.waits else "next" if target == "head" else "branch",
            past.last_position,
            new_id("msg"),
            follows=None if follows_head or end is None else end.id,
            follows_head=follows_head,
            head=past.head_id,
        )

    def _new(self, command: SendMessage) -> tuple[Past, Place]:
        if command.edits is not None or command.after is not None:
            raise Refused("unknown_message", UNKNOWN_MESSAGE)
        system = command.system or None
        return Past(system), Place(command.conversation_id, "new", 0, new_id("msg"), system=system)

    def _turns(self, wish: _Wish, past: Past, place: Place) -> tuple[tuple[Turn, ...], int]:
        """What the model is given. Of a run that waits only the message is looked at: the rest is not known yet."""
        sees, budget = wish.choice.window.sees, wish.choice.window.question_tokens(wish.command.parameters)
        if place.follows_head and wish.question is not None and wish.question.results:
            raise Refused("run_in_progress", IN_PROGRESS)
        if wish.question is not None:
            check_results(wish.question, past)
        new = wish.question.said(place.parent_id or "") if wish.question else None
        if place.waits:
            window.fit(context.turns(Past(past.system), new, sees=sees), budget)
            return (), 0
        return window.fit(context.turns(past, new, sees=sees), budget)

    async def _resolve(self, constraint: str, wish: _Wish) -> AnyRun | None:
        """What a refused insert means: an earlier request of the same kind, another answer, or a moved end."""
        command = wish.command
        earlier = await self._repeats.earlier(command, wish.question, wish.fingerprint)
        if isinstance(earlier, Release):
            wish.release = earlier.message_id
        elif earlier is not None:
            return earlier
        match constraint:
            case "run_in_progress":
                if command.on_busy == "reject":
                    raise Refused("run_in_progress", IN_PROGRESS)
                if command.on_busy == "interrupt":
                    await self._stopper.stop(command.owner, command.conversation_id)
                wish.waits = command.on_busy == "queue"
                return None
            case "conversation_pkey" if not wish.taken:  # ours since a moment ago, or somebody else's
                wish.taken = True
                return None
            case (
                begin_store.MOVED
                | "message_position"
                | "run_position"
                | "run_idempotency_key"
                | "run_pkey"
                | "message_client_id"
            ):
                return None
            case _:  # the conversation was deleted at this moment
                raise Refused("unknown_conversation", UNKNOWN_CONVERSATION)


def _target(command: SendMessage | Regenerate) -> tuple[Target, str | None]:
    if isinstance(command, Regenerate):
        return "answer", command.message_id
    if command.edits is not None:
        return "beside", command.edits
    return ("head", None) if command.after is None else ("after", command.after)

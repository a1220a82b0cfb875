"""The notifier's parts in this process, on servers that nobody else uses; the test is chat, the edge and the owner."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import pytest
from nats.aio.msg import Msg

from contracts import chat
from contracts.chat_facts import RunEndedFact
from contracts.message import Owner, Problem, Reply
from contracts.notifier import ListNotifications, UpdatePreferences
from contracts.notifier_values import Notification
from contracts.session import Presence, SessionBegunFact
from contracts.subjects import PRESENCE
from kit.bus.publish import publish
from kit.clock import now_ms, utc_now
from kit.ids import new_id
from kit.refusal import Refused
from services.notifier.service import NotifierService
from tests.fixtures.ground import Ground, ground_on
from tests.fixtures.mail_server import MailServer
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers

OWNER = Owner(tenant="t", user="u")
ADDRESS = "ada@example.com"
HOUR = 3_600_000
TABLES = "notifier.notice, notifier.contact, notifier.preference, notifier.webhook, notifier.duty CASCADE"
QUICK: dict[str, Any] = {
    "grace_seconds": 1,
    "presence_timeout_seconds": 1.0,
    "sweep_seconds": 0.05,
    "mail_retry_base_seconds": 0.1,
    "mail_retry_max_seconds": 0.2,
    "send_seconds": 20,
    "claim_seconds": 21,
    "hooks_allow_private": True,
    "hook_retry_seconds": (0.1, 0.1, 0.1),
}


class World(Ground[NotifierService]):
    """What can be done with the notifier."""

    texts: dict[str, str]
    """By run, what chat has of it; a run that is not here was deleted."""
    presences: dict[str, Presence]

    async def set_up(self) -> None:
        """Be chat and an edge."""
        self.texts, self.presences = {}, {}
        await self.bus.client.subscribe(chat.GetRun.rpc_subject(), cb=self._tell_run)
        await self.bus.client.subscribe(chat.GetConversation.rpc_subject(), cb=self._tell_conversation)

    async def replica(self, mail: MailServer | None = None, **settings: Any) -> NotifierService:
        """A notifier; without a mail server, e-mail is off."""
        where = {"email": "off"} if mail is None else {"email": "smtp", "smtp_host": mail.host, "smtp_port": mail.port}
        limits = self.settings.notifier.model_copy(update={**QUICK, **where, **settings})
        service = NotifierService(
            self.settings.model_copy(update={"notifier": limits, "public_url": "https://ai.test"})
        )
        self.replicas.append(service)
        await service.start()
        return service

    async def session(self, email: str = ADDRESS, name: str | None = "Ada", owner: Owner = OWNER) -> None:
        """Sign in, and be known."""
        await publish(self.bus, SessionBegunFact(owner=owner, email=email, name=name, at=now_ms()))
        await until(lambda: self._known(owner, email))

    async def _known(self, owner: Owner, email: str) -> bool:
        query = 'SELECT count(*) FROM notifier.contact WHERE tenant = $1 AND "user" = $2 AND email = $3'
        return bool(await self.pool.fetchval(query, owner.tenant, owner.user, email))

    async def wish(self, **wishes: Any) -> None:
        """Change the preferences."""
        await self.ask(UpdatePreferences(owner=OWNER, **wishes))

    async def ended(self, text: str = "The answer.", *, owner: Owner = OWNER, **fact: Any) -> str:
        """A chat run that has ended. Returns its id."""
        run_id = new_id("chat")
        self.texts[run_id] = text
        await publish(self.bus, ended_fact(run_id, owner=owner, **fact))
        return run_id

    async def watch(self, run_id: str, presence: Presence) -> Any:
        """Be an edge that knows of somebody; returns the subscription."""
        subject = PRESENCE.format(tenant=OWNER.tenant, user=OWNER.user, run=run_id)

        async def answer(message: Msg) -> None:
            await message.respond(presence.model_dump_json().encode())

        return await self.bus.client.subscribe(subject, cb=answer)

    async def refused(self, request: Any) -> str:
        """The code with which a request is refused."""
        with pytest.raises(Refused) as caught:
            await self.ask(request)
        return caught.value.problem.code

    async def notifications(self, run_id: str | None = None, owner: Owner = OWNER) -> tuple[Notification, ...]:
        """What the owner is shown."""
        found: tuple[Notification, ...] = (await self.ask(ListNotifications(owner=owner, run_id=run_id))).items
        return found

    async def until_status(self, run_id: str, *statuses: str) -> Notification:
        """Wait until the notification of a run is so."""

        async def look() -> Notification | None:
            found = await self.notifications(run_id)
            return found[0] if found and found[0].status in statuses else None

        found = await until(look)
        assert found is not None
        return found

    async def _tell_run(self, message: Msg) -> None:
        run_id = chat.GetRun.model_validate_json(message.data).run_id
        text, ended = self.texts.get(run_id), utc_now()
        if text is None:
            reply: Reply[Any] = Reply(problem=Problem(code="unknown_run", message="There is no such run."))
        else:
            reply = Reply(
                result=chat.Run(
                    id=run_id,
                    kind="chat",
                    status="completed",
                    conversation_id="conv_1",
                    model="m",
                    text=text,
                    created_at=ended - timedelta(hours=1),
                    ended_at=ended,
                )
            )
        await message.respond(reply.model_dump_json(exclude_none=True).encode())

    async def _tell_conversation(self, message: Msg) -> None:
        now = utc_now()
        told = chat.Conversation(id="conv_1", title="Seas and moons", created_at=now, updated_at=now)
        reply: Reply[Any] = Reply(result=told)
        await message.respond(reply.model_dump_json(exclude_none=True).encode())


def ended_fact(run_id: str, *, owner: Owner = OWNER, **more: Any) -> RunEndedFact:
    """The fact that a run of an hour has ended."""
    values = {"outcome": "completed", "conversation_id": "conv_1", "message_id_stored": "msg_1", "model": "m"}
    return RunEndedFact.model_validate({**values, "owner": owner, "run_id": run_id, "total_ms": HOUR, **more})


def world_on(servers: Servers) -> AbstractAsyncContextManager[World]:
    """The notifier's world on these servers, without replicas and without what earlier tests left."""
    return ground_on(World, servers, models=(), emptied=TABLES)

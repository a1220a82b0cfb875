"""The notifier: its parts, and how they hang together."""

import logging

from faststream.nats.annotations import NatsMessage

from contracts import notifier, subjects
from contracts.architect_facts import ApprovalRequestedFact
from kit.bus.broker import of_facts
from kit.orchestrate.handling import HandlingService, Served
from kit.runtime.service import Service
from kit.settings import Settings
from kit.telemetry import measures
from services.notifier.attempts import Attempts, Channel
from services.notifier.channels import HookChannel, MailChannel
from services.notifier.contents import Contents
from services.notifier.decider import Decider
from services.notifier.delivery_store import DeliveryStore
from services.notifier.fact_handlers import FactHandlers
from services.notifier.facts import ArchitectFact, ChatFact, CompareFact
from services.notifier.hooks.caller import HookCaller
from services.notifier.hooks.handlers import WebhookHandlers
from services.notifier.links import Links
from services.notifier.list_handlers import ListHandlers
from services.notifier.notice_store import NoticeStore
from services.notifier.preference_handlers import PreferenceHandlers
from services.notifier.presence import Watchers
from services.notifier.sender import Sender
from services.notifier.tables import SCHEMA
from services.notifier.telling import Telling
from services.notifier.transports.choice import make_transport

log = logging.getLogger(__name__)


class NotifierService(HandlingService):
    """Tells the owners of runs what happened while they were away."""

    def __init__(self, settings: Settings) -> None:
        limits = settings.notifier
        super().__init__(settings, SCHEMA, limits.handlers)
        database, links = self._database, Links(settings)
        self._transport, self._caller = make_transport(settings), HookCaller(limits)
        mail = self._transport is not None
        notices, deliveries = NoticeStore(database), DeliveryStore(database)
        watchers = Watchers(self._bus, limits.presence_timeout_seconds)
        channels: dict[str, Channel] = {"webhook": HookChannel(database, self._caller, links, limits)}
        if self._transport is not None:
            channels["email"] = MailChannel(database, self._transport, links, limits)
        attempts = Attempts(database, notices, deliveries, Contents(self._bus, self._blobs), channels, limits)
        sender = Sender(deliveries, attempts, limits)
        self._facts = FactHandlers(database, notices, watchers, limits)
        self._parts = (
            *((self._transport,) if self._transport is not None else ()),
            self._caller,
            sender,
            Decider(database, notices, watchers, limits, sender.wake, mail=mail),
            Telling(self._bus, notices, deliveries, limits),
        )
        self._register(
            PreferenceHandlers(database, limits, mail=mail),
            ListHandlers(notices, deliveries, sender.wake),
            WebhookHandlers(database, self._caller, limits),
        )

    def _register(self, wishes: PreferenceHandlers, lists: ListHandlers, hooks: WebhookHandlers) -> None:
        short: Served = [
            (notifier.GetPreferences, wishes.on_get_preferences),
            (notifier.UpdatePreferences, wishes.on_update_preferences),
            (notifier.Unsubscribe, wishes.on_unsubscribe),
            (notifier.RetryNotification, lists.on_retry_notification),
            (notifier.AddWebhook, hooks.on_add_webhook),
            (notifier.UpdateWebhook, hooks.on_update_webhook),
            (notifier.DeleteWebhook, hooks.on_delete_webhook),
            (notifier.RotateSecret, hooks.on_rotate_secret),
            (notifier.TryWebhook, hooks.on_try_webhook),
        ]
        long: Served = [
            (notifier.ListNotifications, lists.on_list_notifications),
            (notifier.ListWebhooks, hooks.on_list_webhooks),
        ]
        self._serve(short, long, notifier.__doc__ or "")
        self._hear()

    def _hear(self) -> None:
        """The moment of a fact is when it was stored: it may be handled long after."""
        facts = self._facts

        async def on_chat_run(fact: ChatFact, message: NatsMessage) -> None:
            await facts.on_run_fact(fact, message.raw_message.metadata.timestamp)

        async def on_compare_run(fact: CompareFact, message: NatsMessage) -> None:
            await facts.on_run_fact(fact, message.raw_message.metadata.timestamp)

        async def on_architect_run(fact: ArchitectFact, message: NatsMessage) -> None:
            await facts.on_run_fact(fact, message.raw_message.metadata.timestamp)

        async def on_approval_requested(fact: ApprovalRequestedFact, message: NatsMessage) -> None:
            await facts.on_approval_requested(fact, message.raw_message.metadata.timestamp)

        for subject, name, handler in (
            (subjects.CHAT_RUN_ENDED.format(outcome="*"), "chat-runs", on_chat_run),
            (subjects.COMPARE_RUN_ENDED.format(outcome="*"), "compare-runs", on_compare_run),
            (subjects.ARCHITECT_RUN_ENDED.format(outcome="*"), "architect-runs", on_architect_run),
            (subjects.APPROVAL_REQUESTED, "approvals", on_approval_requested),
            (subjects.SESSION_BEGUN, "sessions", facts.on_session_begun),
        ):
            self._broker.subscriber(subject, **of_facts(SCHEMA, name, self._handlers))(handler)

    async def start(self) -> None:
        """Connect to everything, take messages, and say where e-mail goes. What it has told is counted from nought."""
        for outcome in ("sent", "failed"):
            measures.sent(subjects.NOTIFICATION_ENDED.format(outcome=outcome), 0)
        await super().start()
        log.info(self._transport.where() if self._transport is not None else "no e-mails are sent")


def build(settings: Settings) -> Service:
    """The notifier, not started. Raises StartError."""
    return NotifierService(settings)

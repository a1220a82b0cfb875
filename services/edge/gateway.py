"""The edge's way to the other services and to the log."""

import asyncio
from typing import Any

from pydantic_core import PydanticSerializationError

from contracts.ids import is_id, orchestrator_of
from contracts.message import Owner, Request
from kit.auth.principal import Principal
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.bus.rpc import call
from kit.refusal import Refused
from kit.runlog.lane import RunKey
from kit.runlog.reads import LogReads, LogUnavailableError
from kit.runlog.recent import Keep
from kit.settings import Settings
from kit.telemetry.spans import note
from services.edge.expand import Expander
from services.edge.left import LeftRuns
from services.edge.orchestrators import UNKNOWN_RUN, serving
from services.edge.presence import Audience
from services.edge.sessions import Sessions
from services.edge.stream import Streams

LOG_WAIT_SECONDS = 30.0
LOG_RETRY_SECONDS = 0.05

UNKNOWN_MESSAGE = "There is no such message in this conversation."
UNKNOWN_CONVERSATION = "There is no such conversation."
UNKNOWN_ASSISTANT = "There is no such assistant."
UNKNOWN_FILE = "There is no such file."
UNKNOWN_STEP = "There is no such step in this run."
UNKNOWN_NOTIFICATION = "There is no such notification."
UNKNOWN_WEBHOOK = "There is no such webhook."


class Gateway:
    """Shared by all requests of one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.bus = Bus(settings.nats, "edge")
        self.log_bus = Bus(settings.nats, "edge log")
        keep = Keep(settings.edge.recent_bytes, settings.edge.recent_seconds)
        self.reads = LogReads(self.log_bus, settings.edge.concurrent_log_reads, keep)
        self._blobs = Blobs(self.bus, settings.nats.replicas)
        self.expander = Expander(self._blobs)
        self.streams = Streams()
        self.left = LeftRuns(self.ask, settings.edge.abandoned_seconds)
        self.sessions = Sessions(lambda fact: publish(self.bus, fact), settings.edge.session_seconds)
        self.audience = Audience(
            self.bus,
            seen_seconds=settings.edge.seen_seconds,
            unacknowledged_seconds=settings.edge.unacknowledged_seconds,
        )

    async def wait_for_log(self) -> None:
        """Wait until the run log is there: another service may be about to declare it. Raises LogUnavailableError."""
        deadline = asyncio.get_running_loop().time() + LOG_WAIT_SECONDS
        while True:
            try:
                return await self.reads.start()
            except LogUnavailableError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(LOG_RETRY_SECONDS)

    async def close(self) -> None:
        """Bring to an end what goes on beside requests, and disconnect."""
        await self.left.close()
        self.sessions.close()
        await self.audience.close()
        await self.bus.close()
        await self.log_bus.close()

    async def ask(self, request: Request[Any], *, seconds: float | None = None) -> Any:
        """Ask a service; `seconds` is for its answer, where that may take longer. Raises Refused, Unavailable."""
        timeout = self.settings.edge.rpc_timeout_seconds if seconds is None else seconds
        try:
            return await call(self.bus, request, timeout=timeout, blobs=self._blobs)
        except PydanticSerializationError as error:
            raise unsendable(error) from error


def unsendable(error: PydanticSerializationError) -> Refused:
    """Why a request cannot be passed on, for its client."""
    if "depth" in str(error):
        return Refused("invalid_request", "The request is nested too deeply.")
    return Refused("invalid_text", "The request contains text that is not valid Unicode.")


def owner_of(principal: Principal) -> Owner:
    """The owner in subjects and tables; made from the identity and never from the request."""
    return Owner(tenant=principal.tenant_token, user=principal.user_token)


def run_key(principal: Principal, run_id: str) -> RunKey:
    """Where a run of this caller lies. An id that is none is refused like one that is unknown. Raises Refused."""
    serving(run_id)
    note("studio.run", run_id)
    return RunKey(principal.tenant_token, principal.user_token, run_id)


def page_mark(text: str | None) -> str | None:
    """Where a page goes on, from a query; it is the `next` of the page before, and that is an id."""
    if text is not None and not is_id(text):
        raise Refused("invalid_cursor", "This is not the `next` of an earlier page.")
    return text


def message_id(text: str) -> str:
    """The id of a message from a path or a body; one that is none is refused like one that is unknown."""
    if not is_id(text):
        raise Refused("unknown_message", UNKNOWN_MESSAGE)
    return text


def conversation_id(text: str) -> str:
    """The id of a conversation from a path; one that is none is refused like one that is unknown."""
    if not is_id(text):
        raise Refused("unknown_conversation", UNKNOWN_CONVERSATION)
    return text


def comparison_id(text: str) -> str:
    """The id of a comparison from a path, which is a run's; any other is refused like one that is unknown."""
    if orchestrator_of(text) != "compare":
        raise Refused("unknown_run", UNKNOWN_RUN)
    return text


def assistant_id(text: str) -> str:
    """The id of an assistant from a path; one that is none is refused like one that is unknown."""
    if not is_id(text):
        raise Refused("unknown_assistant", UNKNOWN_ASSISTANT)
    return text


def assistant_run_id(text: str) -> str:
    """The id of an assistant's run from a path; a run of another kind is refused like one that is unknown."""
    if orchestrator_of(text) != "architect":
        raise Refused("unknown_run", UNKNOWN_RUN)
    return text


def step_name(text: str) -> str:
    """The name of a step from a path or a body; one that is none is refused like one that is unknown."""
    if not is_id(text):
        raise Refused("unknown_step", UNKNOWN_STEP)
    return text


def file_id(text: str) -> str:
    """The id of a file from a path; one that is none is refused like one that is unknown."""
    if not is_id(text):
        raise Refused("unknown_file", UNKNOWN_FILE)
    return text


def notification_id(text: str) -> str:
    """The id of a notification from a path; one that is none is refused like one that is unknown."""
    if not is_id(text):
        raise Refused("unknown_notification", UNKNOWN_NOTIFICATION)
    return text


def webhook_id(text: str) -> str:
    """The id of a webhook from a path; one that is none is refused like one that is unknown."""
    if not is_id(text):
        raise Refused("unknown_webhook", UNKNOWN_WEBHOOK)
    return text

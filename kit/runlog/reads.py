"""Reading the log: pages of stored messages by direct get, and the newest place by asking the leader."""

import asyncio
import hashlib
import itertools
import json
import logging
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nats.aio.subscription import Subscription

from contracts import events
from kit.bus.api import last_message
from kit.bus.connection import Bus
from kit.bus.frames import header_status, header_value
from kit.runlog.live import NOTHING, LiveRuns
from kit.runlog.recent import Keep
from kit.runtime.errors import StartError

log = logging.getLogger(__name__)

STREAM = "RUNS"
PAGE_MESSAGES = 1000
PAGE_BYTES = 1024 * 1024
"""Without this limit one answer may reach 64 MiB, and the server cuts the connection as a slow consumer."""
PAGE_TIMEOUT_SECONDS = 5.0
RETRY_PAUSE_SECONDS = 0.1

BEHIND = "the replica of the log that answered is behind the leader"

_EPOCH_CHARACTERS = 10
_END_OF_PAGE, _NOT_FOUND, _TOO_MANY, _UNAVAILABLE = 204, 404, 413, 503


class LogMessage(NamedTuple):
    """One stored event: its place in the stream, its lane, and its JSON."""

    sequence: int
    lane: bytes
    payload: bytes


class LogUnavailableError(StartError):
    """The log does not answer at the moment."""


@dataclass(slots=True)
class _Page:
    messages: list[LogMessage] = field(default_factory=list)
    left: int = 0  # how many more there are
    whole: bool = True  # every message names the one before it, and the end names the last
    done: "asyncio.Future[int]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class LogReads:
    """Reads of one process, on a connection of their own, a bounded number at the same time."""

    def __init__(self, bus: Bus, concurrent: int, keep: Keep = NOTHING) -> None:
        """`keep` says what is kept of the runs that are watched."""
        self.bus = bus
        self.live = LiveRuns(bus, keep)
        """What is stored now. On the same connection: a read that is asked after a join is answered after it."""
        self.epoch = ""
        """Names the stream that the sequences belong to: when it was made."""
        self._slots = asyncio.Semaphore(concurrent)
        self._pages: dict[bytes, _Page] = {}
        self._numbers = itertools.count(1)
        self._inbox = b""
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        """Listen for answers and learn the epoch. Raises LogUnavailableError."""
        await self.refresh_epoch()
        self._inbox = self.bus.client.new_inbox().encode()
        self._subscription = await self.bus.fast.subscribe(f"{self._inbox.decode()}.*", self._on_message)
        self.bus.on_reconnect.append(self.refresh_epoch)
        self.bus.on_disconnect.append(self._abandon)

    async def refresh_epoch(self) -> None:
        """Ask when the stream was made: after a reconnect it may be another one."""
        try:
            answer = await self.bus.client.request(f"$JS.API.STREAM.INFO.{STREAM}", b"", timeout=PAGE_TIMEOUT_SECONDS)
            created = str(json.loads(answer.data)["created"])
        except Exception as error:
            if not self.epoch:
                raise LogUnavailableError(f"the run log does not answer: {error!r}") from error
            log.warning("cannot learn the log's epoch now: %r", error)
            return
        self.epoch = hashlib.sha256(created.encode()).hexdigest()[:_EPOCH_CHARACTERS]

    async def newest(self, subject: str) -> int:
        """The sequence of the newest message of a subject, as the leader knows it; 0 if there is none.

        Raises LogUnavailableError.
        """
        try:
            message = await last_message(self.bus, STREAM, subject)
        except Exception as error:
            raise LogUnavailableError(repr(error)) from error
        return message.sequence if message else 0

    async def page(
        self, subject: str, start: int, *, messages: int = PAGE_MESSAGES, size: int = PAGE_BYTES
    ) -> list[LogMessage]:
        """Messages of a subject (wildcards allowed) from sequence `start` on; an empty list if there are none.

        It ends with the message that passes `size` bytes. Raises LogUnavailableError.
        """
        request = {"seq": start, "next_by_subj": subject, "batch": messages, "max_bytes": min(size, PAGE_BYTES)}
        return (await self._read(request)).messages

    async def newest_of_each(self, subject: str, start: int) -> tuple[list[LogMessage], bool] | None:
        """The newest message of every subject under a wildcard, those from sequence `start` on, in their order.

        And whether there are more of them; None if there are too many to ask for. It costs the server next to nothing
        as long as it is asked for the newest of now, and not of an earlier moment. Raises LogUnavailableError.
        """
        page = await self._read({"seq": start, "multi_last": [subject], "batch": PAGE_MESSAGES})
        return None if page.done.result() == _TOO_MANY else (page.messages, page.left > 0)

    async def _read(self, request: dict[str, Any]) -> _Page:
        async with self._slots:
            reply = b"%b.%d" % (self._inbox, next(self._numbers))
            page = self._pages[reply] = _Page()
            body = json.dumps({"max_bytes": PAGE_BYTES, **request}).encode()
            try:
                await self.bus.client.publish(f"$JS.API.DIRECT.GET.{STREAM}", body, reply=reply.decode())
                async with asyncio.timeout(PAGE_TIMEOUT_SECONDS):
                    status = await page.done
            except Exception as error:
                raise LogUnavailableError(repr(error)) from error
            finally:
                del self._pages[reply]
        if status not in (_END_OF_PAGE, _NOT_FOUND, _TOO_MANY):
            raise LogUnavailableError(f"the log answers {status}")
        if not page.whole:
            raise LogUnavailableError("a page of the log came with a hole")
        return page

    async def lane(self, subject: str) -> list[tuple[int, events.Event | None]]:
        """Every event of one lane with its sequence; None stands for a type this reader does not know.

        Raises LogUnavailableError.
        """
        told: list[tuple[int, events.Event | None]] = []
        newest, read = await self.newest(subject), 0
        while read < newest:
            page = await self.page(subject, read + 1)
            if not page:  # the replica that answered is behind the leader, or the lane was purged
                await asyncio.sleep(RETRY_PAUSE_SECONDS)
                newest = await self.newest(subject)
                continue
            told += [(message.sequence, events.decode(message.payload)) for message in page]
            read = page[-1].sequence
        return told

    def _abandon(self) -> None:
        """The connection is gone: what was asked on it is not answered any more."""
        for page in self._pages.values():
            if not page.done.done():
                page.done.set_result(_UNAVAILABLE)

    def _on_message(self, subject: bytes, header: bytes, payload: bytes) -> None:
        page = self._pages.get(subject)
        if page is None:
            return
        before = page.messages[-1].sequence if page.messages else 0
        status = header_status(header)
        if status not in (_NOT_FOUND, _TOO_MANY):
            page.whole &= int(header_value(header, b"Nats-Last-Sequence: ") or 0) == before
        if status is not None:
            page.left = int(header_value(header, b"Nats-Num-Pending: ") or 0)
            if not page.done.done():
                page.done.set_result(status)
            return
        sequence = header_value(header, b"Nats-Sequence: ")
        log_subject = header_value(header, b"Nats-Subject: ")
        if sequence is not None and log_subject is not None:
            page.messages.append(LogMessage(int(sequence), log_subject.rpartition(b".")[2], payload))

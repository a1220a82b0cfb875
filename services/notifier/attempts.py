"""One attempt to deliver something, and what is kept of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from contracts.message import Owner, Problem
from kit.clock import utc_now
from kit.db.database import Database, is_unavailable
from kit.settings import NotifierSettings
from services.notifier import contact_store, core
from services.notifier.channels import Fetch, HandOver, NotYetError
from services.notifier.contents import Contents, GoneError
from services.notifier.delivery_store import DeliveryStore
from services.notifier.failures import LaterError, NeverError
from services.notifier.hooks import store as hook_store
from services.notifier.models import DeliveryRow, NoticeRow
from services.notifier.notice_store import NoticeStore
from services.notifier.shown import problem

log = logging.getLogger(__name__)

NOT_YET_SECONDS = 3.0
RECORD_PAUSE_SECONDS = 0.2
UNKNOWN = Problem(code="internal", message="Something went wrong on our side.")
_AWAY = {"email": "mail_server_away", "webhook": "webhook_away"}


class ClaimLostError(Exception):
    """The delivery is somebody else's by now, or has been sent."""


class Channel(Protocol):
    """A way to tell somebody."""

    async def attempt(self, delivery: DeliveryRow, notice: NoticeRow, fetch: Fetch, hand_over: HandOver) -> None:
        """One attempt."""


class Attempts:
    """Makes attempts. Each ends in the table, whatever came of it."""

    def __init__(
        self,
        database: Database,
        notices: NoticeStore,
        deliveries: DeliveryStore,
        contents: Contents,
        channels: dict[str, Channel],
        limits: NotifierSettings,
    ) -> None:
        self._database, self._notices, self._deliveries = database, notices, deliveries
        self._contents, self._channels, self._limits = contents, channels, limits

    async def make(self, delivery: DeliveryRow) -> None:
        """Try to deliver what was claimed."""
        try:
            async with asyncio.timeout(self._limits.send_seconds):
                await self._attempt(delivery)
        except ClaimLostError:
            log.info("%s was taken over by another sender", delivery.id)
        except GoneError as gone:
            why = problem(gone.code)
            await self._record(lambda: self._deliveries.ended(delivery, "not_sent", why))
        except NotYetError as reason:
            at, told = utc_now() + timedelta(seconds=NOT_YET_SECONDS), _told(reason)
            await self._record(lambda: self._deliveries.later(delivery, at, told, counted=False))
        except LaterError as later:
            await self._again(delivery, _told(later), later.after_seconds)
        except TimeoutError:
            await self._again(delivery, Problem(code=_AWAY[delivery.channel], message="No answer in time."), None)
        except NeverError as never:
            await self._never(delivery, never)
        except Exception as error:
            if not is_unavailable(error):
                log.exception("%s by %s failed", delivery.id, delivery.channel)
            await self._again(delivery, UNKNOWN, None)
        else:
            await self._record(lambda: self._deliveries.sent(delivery))
            log.info("%s was sent by %s (attempt %d)", delivery.id, delivery.channel, delivery.attempts)
            await self._went_well(delivery)

    async def _attempt(self, delivery: DeliveryRow) -> None:
        notice, channel = await self._notices.find(delivery.notice_id), self._channels.get(delivery.channel)
        if notice is None:
            raise ClaimLostError
        if channel is None:
            raise GoneError("no_channel")

        async def hand_over() -> None:
            if not await self._deliveries.hand_over(delivery):
                raise ClaimLostError

        await channel.attempt(delivery, notice, lambda: self._contents.of(notice), hand_over)

    async def _again(self, delivery: DeliveryRow, told: Problem, asked: float | None) -> None:
        """It did not work now: try it again, or give it up."""
        now, first_at = utc_now(), delivery.first_at or utc_now()
        channel = delivery.channel
        at = core.next_attempt(channel, delivery.attempts, first_at, now, asked, self._limits)  # type: ignore[arg-type]
        if at is None:
            log.warning("%s by %s is given up: %s", delivery.id, channel, told.message)
            await self._record(lambda: self._deliveries.ended(delivery, "failed", told))
        else:
            log.info("%s by %s (attempt %d) again at %s: %s", delivery.id, channel, delivery.attempts, at, told.message)
            await self._record(lambda: self._deliveries.later(delivery, at, told))
        await self._note(delivery, told)

    async def _never(self, delivery: DeliveryRow, never: NeverError) -> None:
        """It will not work: so it is kept, and shown, and nothing more is sent to a bad target."""
        told = Problem(code=never.code, message=str(never))
        log.warning("%s by %s failed for good: %s", delivery.id, delivery.channel, told.message)
        owner = Owner(tenant=delivery.tenant, user=delivery.user)
        if never.target_is_bad and delivery.channel == "email":
            await self._record(
                lambda: self._database.run(lambda session: contact_store.refuse(session, owner, delivery.target, told))
            )
        elif never.target_is_bad:
            await self._record(lambda: hook_store.disable(self._database, delivery.place, told))
        await self._record(lambda: self._deliveries.ended(delivery, "failed", told))
        if not never.target_is_bad:
            await self._note(delivery, told)

    async def _went_well(self, delivery: DeliveryRow) -> None:
        await self._note(delivery, None)
        if delivery.channel == "email":
            await self._record(self._deliveries.soon)

    async def _note(self, delivery: DeliveryRow, told: Problem | None) -> None:
        if delivery.channel == "webhook":
            await self._record(lambda: hook_store.note(self._database, delivery.place, told))

    async def _record(self, write: Callable[[], Awaitable[object]]) -> None:
        """Write it down, however long the database is away: nobody else knows what came of the attempt."""
        while True:
            try:
                await write()
                return
            except Exception as error:
                if not is_unavailable(error):
                    raise
                await asyncio.sleep(RECORD_PAUSE_SECONDS)


def _told(error: LaterError) -> Problem:
    return Problem(code=error.code, message=str(error))

"""What notifier does with requests about what was sent, and what was not."""

from collections.abc import Callable

from contracts.notifier import ListNotifications, RetryNotification
from contracts.notifier_values import Notification, NotificationPage
from kit.refusal import Refused
from services.notifier import shown
from services.notifier.delivery_store import DeliveryStore
from services.notifier.notice_store import NoticeStore


class ListHandlers:
    """Show notifications, and send again what was given up."""

    def __init__(self, notices: NoticeStore, deliveries: DeliveryStore, wake: Callable[[], None]) -> None:
        self._notices, self._deliveries, self._wake = notices, deliveries, wake

    async def on_list_notifications(self, request: ListNotifications) -> NotificationPage:
        """A page, the newest first."""
        found = await self._notices.page(request.owner, request.limit + 1, request.before, request.run_id)
        page, more = found[: request.limit], len(found) > request.limit
        deliveries = await self._deliveries.of_notices([notice.id for notice in page])
        items = tuple(
            shown.notification(notice, [each for each in deliveries if each.notice_id == notice.id]) for notice in page
        )
        return NotificationPage(items=items, next=page[-1].id if more else None)

    async def on_retry_notification(self, command: RetryNotification) -> Notification:
        """Begin anew with what did not get there."""
        notice = await self._notices.owned(command.owner, command.notification_id)
        if notice is None:
            raise Refused("unknown_notification", "There is no such notification.")
        await self._deliveries.again(notice.id)
        self._wake()
        return shown.notification(notice, await self._deliveries.of_notices([notice.id]))

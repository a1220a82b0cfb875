"""The tables: whom to tell, what was to be told, and what became of it by each channel."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from kit.db.tables import timestamp
from services.notifier.tables import Table, json_column


class ContactRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """The verified address of a user. `refused`: the problem for which nothing is sent there any more.

    `unsubscribe_token` is in the link of every mail, so it is a secret between us and the mailbox.
    """

    __tablename__ = "contact"

    tenant: str = Field(primary_key=True)
    user: str = Field(primary_key=True)
    email: str
    name: str | None = None
    unsubscribe_token: str
    refused: dict[str, Any] | None = json_column()
    seen_at: datetime = timestamp()


class PreferenceRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """What a user wants to hear of. What is null is as the settings say."""

    __tablename__ = "preference"

    tenant: str = Field(primary_key=True)
    user: str = Field(primary_key=True)
    policy: str | None = None
    longer_than_seconds: float | None = None
    email: bool = True
    webhook: bool = True


class NoticeRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """Something that happened and may be told, once: `run_id` and `about` are its natural key.

    `about` is `ended`, or `approval.<step>`. `status` is `waiting` until it is decided (at `decide_at`, or earlier if
    somebody turns out to have seen it), then `told` or `not_told` with a `reason`. `told_at`: the fact is on the bus.
    """

    __tablename__ = "notice"

    id: str = Field(primary_key=True)
    run_id: str
    about: str
    tenant: str
    user: str
    outcome: str | None = None
    policy: str
    status: str = "waiting"
    reason: str | None = None
    happened_at: datetime = timestamp()
    decide_at: datetime = timestamp()
    decided_at: datetime | None = timestamp(nullable=True)
    told_at: datetime | None = timestamp(nullable=True)


class DeliveryRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """A notice on its way by one channel: `notice_id`, `channel` and `place` are its natural key.

    `place` is the id of the webhook, or nothing for e-mail; `target` the address or the URL. `status` is `waiting`,
    `sent`, `failed` or `not_sent`. While it is being sent, `claim` names who does so until `claimed_until`.
    `handed_over_at`: an attempt has got so far that it may have arrived. `first_at`: of the first attempt.
    """

    __tablename__ = "delivery"

    id: str = Field(primary_key=True)
    notice_id: str
    tenant: str
    user: str
    channel: str
    place: str = ""
    target: str
    status: str = "waiting"
    attempts: int = 0
    error: dict[str, Any] | None = json_column()
    claim: str | None = None
    claimed_until: datetime | None = timestamp(nullable=True)
    handed_over_at: datetime | None = timestamp(nullable=True)
    first_at: datetime | None = timestamp(nullable=True)
    next_at: datetime = timestamp()
    sent_at: datetime | None = timestamp(nullable=True)
    told_at: datetime | None = timestamp(nullable=True)


class WebhookRow(Table, table=True):  # type: ignore[call-arg,misc,valid-type]
    """A URL that is called. `earlier_secret` signs as well until `earlier_until`; `problem` is of the last call."""

    __tablename__ = "webhook"

    id: str = Field(primary_key=True)
    tenant: str
    user: str
    url: str
    description: str = ""
    secret: str
    earlier_secret: str | None = None
    earlier_until: datetime | None = timestamp(nullable=True)
    enabled: bool = True
    problem: dict[str, Any] | None = json_column()
    created_at: datetime = timestamp()

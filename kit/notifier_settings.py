"""The settings of the notifier; a part of kit/settings.py."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DAY_SECONDS = 24 * 3600


class NotifierSettings(BaseSettings):
    """What people are told when their runs end, and how."""

    model_config = SettingsConfigDict(env_prefix="STUDIO_NOTIFIER_")

    longer_than_seconds: float = Field(
        60.0, ge=0, description="shorter runs are not told of, unless the run or its owner says otherwise"
    )
    grace_seconds: float = Field(
        15.0,
        ge=1,
        description="after a run's end somebody may come back to it for so long: a reload, a lost connection",
    )
    presence_timeout_seconds: float = Field(1.0, gt=0, description="for an edge's answer whether somebody watches")
    late_seconds: float = Field(2 * DAY_SECONDS, gt=0, description="what happened longer ago is not told any more")
    address_wait_seconds: float = Field(
        60.0, ge=0, description="after a run's end its owner's address may become known for so long"
    )
    link: str = Field(
        "{public_url}/v1/runs/{run_id}",
        description="to a run, in e-mails and webhooks; also known: {kind}, {conversation_id}, {assistant_id}",
    )
    max_text_characters: int = Field(20_000, ge=0, description="of an answer in an e-mail; the rest is behind the link")
    max_hook_characters: int = Field(100_000, ge=0, description="of an answer in a webhook's body")
    handlers: int = Field(16, ge=1, description="messages handled at the same time")
    senders: int = Field(8, ge=1, description="deliveries of one process that go on at the same time")
    sweep_seconds: float = Field(1.0, gt=0, description="how often deliveries that are due are looked for")
    send_seconds: float = Field(20.0, gt=0, description="for one attempt, before it counts as failed")
    claim_seconds: float = Field(
        30.0,
        gt=0,
        description="an attempt whose process says nothing for so long is made again; more than `send_seconds`",
    )
    drain_seconds: float = Field(5.0, ge=0, description="on SIGTERM, time to finish what is being sent")
    retention_seconds: float = Field(
        90 * DAY_SECONDS,
        ge=31 * DAY_SECONDS,
        description="how long it is known what was sent; longer than facts are kept, or a run could be told twice",
    )

    email: Literal["file", "smtp", "ses", "off"] = Field(
        "file", description="how e-mail goes out; `file`: into `mail_dir`, and nowhere else"
    )
    mail_dir: Path | None = Field(None, description="none: `mail` in the data directory")
    sender: str = Field("AI Studio <ai-studio@localhost>", description="the From of every e-mail")
    reply_to: str = Field("", description="the Reply-To of every e-mail; empty: none")
    smtp_host: str = Field("127.0.0.1", description="the mail server")
    smtp_port: int = Field(25, ge=1, le=65535, description="usually 25, 465 (tls) or 587 (starttls)")
    smtp_security: Literal["none", "starttls", "tls"] = Field("none", description="of the connection to it")
    smtp_user: str = Field("", description="empty: no sign-in")
    smtp_password: SecretStr = Field(SecretStr(""), description="of `smtp_user`")
    mail_step_seconds: float = Field(
        8.0, gt=0, description="for each answer of the mail server; the whole attempt has `send_seconds`"
    )
    ses_region: str = Field("", description="of Amazon SES; empty: the environment's")
    ses_configuration_set: str = Field("", description="empty: none")
    mail_retry_base_seconds: float = Field(5.0, gt=0, description="after a first failed attempt; doubled for each more")
    mail_retry_max_seconds: float = Field(120.0, gt=0, description="the longest wait between two attempts")
    mail_give_up_seconds: float = Field(2 * DAY_SECONDS, gt=0, description="after which an e-mail is given up")

    max_webhooks: int = Field(10, ge=0, description="of one user")
    hooks_allow_private: bool = Field(
        False, description="let webhooks call addresses that are not public, and without TLS"
    )
    hook_retry_seconds: tuple[float, ...] = Field(
        (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000),
        description="the waits between attempts, as JSON; after the last one a webhook's call is parked",
    )
    hook_secret_overlap_seconds: float = Field(
        DAY_SECONDS, ge=0, description="calls are signed with a replaced secret as well for so long"
    )

    @model_validator(mode="after")
    def _claims_outlast_attempts(self) -> "NotifierSettings":
        """Or a second replica would begin what the first has not ended."""
        if self.claim_seconds <= self.send_seconds:
            raise ValueError("STUDIO_NOTIFIER_CLAIM_SECONDS must be more than STUDIO_NOTIFIER_SEND_SECONDS")
        return self

"""Every setting of the product, read from `STUDIO_…` environment variables.

Units are in the names: `_seconds`, `_bytes`, `_characters`; anything else is a count or a text.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from kit.notifier_settings import NotifierSettings as NotifierSettings
from kit.orchestrator_settings import ArchitectSettings as ArchitectSettings
from kit.orchestrator_settings import ChatSettings as ChatSettings
from kit.orchestrator_settings import CompareSettings as CompareSettings
from kit.workflow_settings import WorkflowSettings as WorkflowSettings

CommaSeparated = Annotated[tuple[str, ...], NoDecode]


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


class BusSettings(BaseSettings):
    """Where NATS is, and how the streams are kept."""

    model_config = SettingsConfigDict(env_prefix="STUDIO_NATS_")

    url: CommaSeparated = Field(("nats://127.0.0.1:4222",), min_length=1, description="the servers of one cluster")
    credentials_file: Path | None = Field(None, description="a NATS credentials file; none: no sign-in")
    nkey_file: Path | None = Field(None, description="a file with the seed of this service's NKey; none: no sign-in")
    nkey: SecretStr = Field(SecretStr(""), description="the seed itself, for whoever cannot give a file")
    ca_file: Path | None = Field(
        None, description="who signed the servers' certificates; none: the authorities this machine trusts"
    )
    ca: str = Field("", description="the certificates themselves (PEM), for whoever cannot give a file")
    tls_first: bool = Field(
        False,
        description="TLS from the first byte, so that nobody in between can talk us out of it; the server's "
        "`handshake_first` must be on",
    )
    inbox: str = Field(
        "_INBOX",
        pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$",
        description="what the subjects begin with on which answers come; where the server gives each service its own",
    )
    declare: bool = Field(
        True,
        description="every service declares the streams as it starts; `false`: only `python -m services declare` may",
    )
    replicas: int = Field(1, ge=1, le=5, description="copies of every stream; 3 in production")

    _split_url = field_validator("url", mode="before")(_split)


class DatabaseSettings(BaseSettings):
    """Where Postgres is. Each service signs in with its own role; `url` is the administrator's."""

    model_config = SettingsConfigDict(env_prefix="STUDIO_DATABASE_")

    url: SecretStr = Field(
        SecretStr("postgresql://postgres@127.0.0.1:5432/studio"), description="the administrator's; for migrations"
    )
    service_password: SecretStr = Field(
        SecretStr(""), description="the password of the services' own roles; empty where the server trusts"
    )
    pool_size: int = Field(10, ge=1, description="connections of one process")


class AuthSettings(BaseSettings):
    """Who may call. `local` signs one local user in by itself and is meant for one machine."""

    model_config = SettingsConfigDict(env_prefix="STUDIO_AUTH_")

    mode: Literal["local", "token"] = Field("local", description="who is let in without a token: this machine, nobody")
    secret: SecretStr = Field(SecretStr(""), description="signs tokens (HS256), 32 bytes or more")
    token_ttl_seconds: int = Field(30 * 24 * 3600, ge=60, description="how long a signed token is good")
    local_email: str = Field("", description="the address of the local user; empty: `user@localhost`")
    local_name: str = Field("", description="how the local user is addressed")
    allow_beyond_loopback: bool = Field(
        False, description="let `local` mode listen on other addresses, e.g. inside a container"
    )


class EdgeSettings(BaseSettings):
    """The HTTP server and what it accepts."""

    model_config = SettingsConfigDict(env_prefix="STUDIO_EDGE_")

    host: str = Field("127.0.0.1", description="the address it listens on")
    port: int = Field(8484, ge=0, le=65535, description="0: any that is free")
    allowed_hosts: CommaSeparated = Field(
        ("localhost", "127.0.0.1", "::1"), description="Host headers accepted in local mode, without port"
    )
    allowed_origins: CommaSeparated = Field((), description="other web origins that may call (CORS)")
    max_body_bytes: int = Field(
        20 * 1024 * 1024, ge=1024, description="of one request, images included; more is refused with 413"
    )
    heartbeat_seconds: float = Field(12.0, gt=0, description="silence after which a stream gets a comment line")
    client_buffer_bytes: int = Field(
        64 * 1024, ge=4096, description="events kept for one client that is slow to take them; the log keeps the rest"
    )
    recent_bytes: int = Field(
        64 * 1024,
        ge=0,
        description="newest events of each watched run that are kept for watchers who come back; 0: none",
    )
    recent_seconds: float = Field(
        15.0, ge=0, description="the age up to which they are kept, and how long after a run's last watcher has left"
    )
    concurrent_log_reads: int = Field(16, ge=1, description="pages of the run log being read at the same time")
    rpc_timeout_seconds: float = Field(10.0, gt=0, description="for a service's answer, before 503")
    file_timeout_seconds: float = Field(
        90.0, gt=0, description="for architect's answer to a file, whose text is found first; before 503"
    )
    drain_seconds: float = Field(3.0, ge=0, description="on SIGTERM, time over which clients are told to reconnect")
    retirement_poll_seconds: float = Field(
        0.0,
        ge=0,
        description="how often an edge on Amazon ECS asks whether it is being replaced, which it is told much later; "
        "clients that resume by themselves are then sent elsewhere, and the others may finish; 0: it does not ask",
    )
    unacknowledged_seconds: float = Field(
        30.0, ge=0, description="a client that confirms nothing of what was sent to it for so long is gone; 0: no limit"
    )
    seen_seconds: float = Field(
        120.0, ge=0, description="how long it is known that somebody has seen a run's end, for the notifier"
    )
    session_seconds: float = Field(
        6 * 3600, gt=0, description="how often the address of somebody who goes on calling is told to the notifier"
    )
    chat_on_busy: Literal["reject", "queue", "interrupt"] = Field(
        "queue", description="what a message to /api/chat does while an answer is running, unless it says `onBusy`"
    )
    replay_after_end_seconds: float | None = Field(
        None,
        ge=0,
        description="how long a resume of /api/chat is told an answer that has ended; none: until there is a newer one",
    )
    abandoned_seconds: float = Field(
        5.0,
        ge=0,
        description="a chat completion or response whose client is gone is stopped after so long, unless it has an "
        "`Idempotency-Key` or runs in the background",
    )

    _split_lists = field_validator("allowed_hosts", "allowed_origins", mode="before")(_split)


class InferenceSettings(BaseSettings):
    """The workers that call models."""

    model_config = SettingsConfigDict(env_prefix="STUDIO_INFERENCE_")

    slots: int = Field(256, ge=1, description="generations one worker runs at the same time")
    first_token_timeout_seconds: float = Field(120.0, gt=0, description="for a model's first token")
    silence_timeout_seconds: float = Field(120.0, gt=0, description="between two chunks of a model's answer")
    total_timeout_seconds: float | None = Field(None, description="none: a generation may take hours")
    max_attempts: int = Field(5, ge=1, description="workers that brought no new text before a request is given up")
    retries: int = Field(3, ge=0, description="calls of a model repeated when it fails before its first word")
    retry_base_seconds: float = Field(0.5, ge=0, description="before the first repetition; doubled for each more")
    retry_max_seconds: float = Field(
        30.0, ge=0, description="the longest wait; a provider that asks for more is not asked again"
    )
    max_interruptions: int = Field(3, ge=0, description="times an answer that broke off is gone on with")
    breaker_failures: int = Field(5, ge=1, description="calls in a row a provider fails before it is left alone")
    breaker_seconds: float = Field(10.0, ge=0, description="how long it is left alone")
    drain_seconds: float = Field(5.0, ge=0, description="on SIGTERM, time to finish what ends soon")


class ModelSettings(BaseSettings):
    """The catalogue of models."""

    model_config = SettingsConfigDict(env_prefix="STUDIO_MODELS_")

    file: Path | None = Field(None, description="a YAML catalogue; none: the built-in one")
    ollama_url: str = Field("http://127.0.0.1:11434", description="where a local Ollama is looked for; empty: nowhere")


class MetricsLogSettings(BaseSettings):
    """Metrics as lines on standard output, of which Amazon CloudWatch makes metrics without a collector."""

    model_config = SettingsConfigDict(env_prefix="STUDIO_METRICS_LOG_")

    seconds: float = Field(0.0, ge=0, description="how often they are written; 0: never")
    namespace: str = Field("AIStudio", min_length=1, description="under which CloudWatch keeps them")


class Settings(BaseSettings):
    """All settings of one process."""

    model_config = SettingsConfigDict(env_prefix="STUDIO_")

    data_dir: Path = Field(Path(".studio"), description="everything the local stack keeps")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="what is logged")
    public_url: str = Field(
        "", description="where users reach the edge, for links in e-mails; empty: the address the edge listens on"
    )

    nats: BusSettings = Field(default_factory=lambda: BusSettings())
    database: DatabaseSettings = Field(default_factory=lambda: DatabaseSettings())
    auth: AuthSettings = Field(default_factory=lambda: AuthSettings())
    edge: EdgeSettings = Field(default_factory=lambda: EdgeSettings())
    chat: ChatSettings = Field(default_factory=lambda: ChatSettings())
    compare: CompareSettings = Field(default_factory=lambda: CompareSettings())
    architect: ArchitectSettings = Field(default_factory=lambda: ArchitectSettings())
    notifier: NotifierSettings = Field(default_factory=lambda: NotifierSettings())
    inference: InferenceSettings = Field(default_factory=lambda: InferenceSettings())
    models: ModelSettings = Field(default_factory=lambda: ModelSettings())
    metrics_log: MetricsLogSettings = Field(default_factory=lambda: MetricsLogSettings())
    workflow: WorkflowSettings = Field(default_factory=lambda: WorkflowSettings())

"""The JSON bodies about notifications."""

from pydantic import Field

from contracts.notifier import MAX_URL_CHARACTERS
from contracts.notify import NotifyPolicy
from services.edge.bodies import Body, example

MAX_SECONDS = 366 * 24 * 3600
MAX_DESCRIPTION = 1_000


class PreferencesChange(Body):
    """What is absent stays as it is."""

    model_config = example(policy="when_away", longer_than_seconds=60) | {"allow_inf_nan": False}

    policy: NotifyPolicy | None = Field(None, description="of runs that say nothing themselves")
    longer_than_seconds: float | None = Field(
        None, ge=0, le=MAX_SECONDS, description="shorter runs that say nothing themselves are not told of"
    )
    email: bool | None = Field(
        None, description="false: no e-mail at all. True also tries an address again that was refused"
    )
    webhook: bool | None = Field(None, description="false: no webhook is called")


class NewWebhook(Body):
    """A URL of yours that is called when a run has ended."""

    model_config = example(url="https://example.com/hook", description="Our ticket system")

    url: str = Field(min_length=1, max_length=MAX_URL_CHARACTERS)
    description: str = Field("", max_length=MAX_DESCRIPTION)


class WebhookChange(Body):
    """What is absent stays as it is."""

    model_config = example(enabled=True)

    url: str | None = Field(None, min_length=1, max_length=MAX_URL_CHARACTERS)
    description: str | None = Field(None, max_length=MAX_DESCRIPTION)
    enabled: bool | None = Field(None, description="false: it is not called, which is also set if the URL is gone")

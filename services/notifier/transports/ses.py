"""E-mails by Amazon SES. Credentials come from where botocore finds them: the environment, a profile, a role."""

import asyncio
from email.message import EmailMessage
from typing import Any

from kit.notifier_settings import NotifierSettings
from services.notifier.failures import LaterError, NeverError
from services.notifier.transports.envelope import Envelope, envelope_of
from services.notifier.transports.ses_errors import ses_error
from services.notifier.transports.transport import HandingOver


class SesTransport:
    """A client for one region.

    SES writes a Message-ID of its own over ours, so a mail that is sent twice is shown twice.
    """

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings
        self._lock = asyncio.Lock()
        self._client: Any = None

    async def start(self) -> None:
        """Nothing: the client is made with the first mail."""

    async def stop(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await asyncio.to_thread(self._client.close)
            self._client = None

    def where(self) -> str:
        """The region."""
        return f"e-mails go out by Amazon SES in {self._settings.ses_region or 'the region of the environment'}"

    async def send(self, message: EmailMessage, handing_over: HandingOver) -> str:
        """Send it: one request, and no second one that nobody knows of."""
        envelope = envelope_of(message)
        if envelope.utf8:
            raise NeverError(
                "address_refused", "Amazon SES cannot write to this address: it knows only ASCII before the @."
            )
        async with self._lock:  # botocore's session is not made for several threads
            if self._client is None:
                self._client = await asyncio.to_thread(_understood, self._connect)
        await handing_over()
        return await asyncio.to_thread(_understood, self._send, envelope)

    def _connect(self) -> Any:
        from botocore.config import Config
        from botocore.session import Session

        seconds = self._settings.mail_step_seconds
        once = Config(
            connect_timeout=seconds,
            read_timeout=seconds,
            retries={"total_max_attempts": 1, "mode": "standard"},  # after a lost answer, it would be sent twice
        )
        return Session().create_client("sesv2", region_name=self._settings.ses_region or None, config=once)

    def _send(self, envelope: Envelope) -> str:
        more = self._settings.ses_configuration_set
        told = self._client.send_email(
            FromEmailAddress=envelope.sender,
            Destination={"ToAddresses": [envelope.recipient]},
            Content={"Raw": {"Data": envelope.data}},
            **({"ConfigurationSetName": more} if more else {}),
        )
        return f"SES {told['MessageId']}"


def _understood(call: Any, *given: Any) -> Any:
    """What a call returns, or its error as ours."""
    from botocore import exceptions

    try:
        return call(*given)
    except exceptions.ClientError as error:
        told, answered = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
        raise ses_error(
            str(told.get("Code", "")),
            str(told.get("Message", "")),
            int(answered.get("HTTPStatusCode", 0)),
            answered.get("HTTPHeaders", {}),
        ) from error
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        raise LaterError("mail_server_away", f"Amazon SES cannot be reached: {error}") from error
    except exceptions.ParamValidationError as error:
        raise NeverError("mail_refused", f"Amazon SES cannot be asked to send this mail: {error}") from error
    except exceptions.BotoCoreError as error:
        raise LaterError(
            "mail_refused_for_now", f"Amazon SES cannot be used as it is set up. The operator has to check it: {error}"
        ) from error

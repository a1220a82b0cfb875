"""E-mails by SMTP, to any mail server."""

import asyncio
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
    SMTPStatus,
)

from kit.notifier_settings import NotifierSettings
from services.notifier.failures import LaterError, NeverError
from services.notifier.transports.envelope import Envelope, envelope_of
from services.notifier.transports.smtp_replies import refusal, said
from services.notifier.transports.transport import HandingOver

OWN_NAME_SECONDS = 2.0
"""For this machine's name, by which the server is greeted; where DNS is broken it takes much longer."""
_NAME = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_DOT = re.compile(rb"(?m)^\.")


class SmtpTransport:
    """A connection for each mail: there are few, and one that is kept is often dead when it is needed."""

    def __init__(self, settings: NotifierSettings, tls_context: ssl.SSLContext | None = None) -> None:
        """`tls_context`: what to trust; the machine's authorities if it is not given."""
        self._settings, self._tls_context = settings, tls_context
        self._own_name = "localhost"

    async def start(self) -> None:
        """Find our own name."""
        try:
            async with asyncio.timeout(OWN_NAME_SECONDS):
                name = await asyncio.to_thread(socket.getfqdn)
        except TimeoutError:
            return
        if _NAME.fullmatch(name):
            self._own_name = name

    async def stop(self) -> None:
        """Nothing is open."""

    def where(self) -> str:
        """The server."""
        wanted = self._settings
        return f"e-mails go out by {wanted.smtp_host}:{wanted.smtp_port} (SMTP, security: {wanted.smtp_security})"

    async def send(self, message: EmailMessage, handing_over: HandingOver) -> str:
        """Send it. `handing_over` is called when the server has all of it but the dot that ends it."""
        envelope = envelope_of(message)
        client = SMTP(
            hostname=self._settings.smtp_host,
            port=self._settings.smtp_port,
            local_hostname=self._own_name,
            timeout=self._settings.mail_step_seconds,
            use_tls=self._settings.smtp_security == "tls",
            start_tls=False,  # a step of its own below
            tls_context=self._tls_context,
        )
        try:
            with _understood():
                await self._open(client)
                await _address(client, envelope)
                await _begin(client, envelope.data)
            await handing_over()
            with _understood():
                return await _end(client)
        finally:
            client.close()  # without its dot a mail is dropped (RFC 5321, 4.1.1.4)

    async def _open(self, client: SMTP) -> None:
        """Connect, and sign in if that is wanted."""
        await client.connect()
        try:
            await client.ehlo()
            if self._settings.smtp_security == "starttls":
                await client.starttls()
                await client.ehlo()
            if self._settings.smtp_user:
                await client.login(self._settings.smtp_user, self._settings.smtp_password.get_secret_value())
        except (ConnectionError, TimeoutError, ssl.SSLError):
            raise
        except SMTPAuthenticationError as error:
            answer = said(error.code, error.message)
            raise LaterError(
                "mail_refused_for_now",
                f"The mail server does not accept the sign-in. The operator has to check it: {answer}",
            ) from error
        except (SMTPException, ValueError) as error:
            raise LaterError(
                "mail_refused_for_now", f"The mail server cannot be used as it is set up by the operator: {error}"
            ) from error


async def _address(client: SMTP, envelope: Envelope) -> None:
    """Say from whom and to whom."""
    if envelope.utf8 and not client.supports_extension("smtputf8"):
        raise NeverError(
            "address_refused",
            "The mail server cannot write to this address: it knows only letters of ASCII before the @ (no SMTPUTF8).",
        )
    options = ["SMTPUTF8", "BODY=8BITMIME"] if envelope.utf8 else []
    if client.supports_extension("size"):
        options.append(f"SIZE={len(envelope.data)}")
    encoding = "utf-8" if envelope.utf8 else "ascii"
    try:
        await client.mail(envelope.sender, options=options, encoding=encoding)
        await client.rcpt(envelope.recipient, encoding=encoding)
    except SMTPSenderRefused as error:
        raise refusal("MAIL", error.code, error.message) from error
    except SMTPRecipientRefused as error:
        raise refusal("RCPT", error.code, error.message) from error


async def _begin(client: SMTP, data: bytes) -> None:
    """Send all of the mail but the dot that ends it."""
    ready = await client.execute_command(b"DATA")
    if ready.code != SMTPStatus.start_input:
        raise refusal("DATA", ready.code, ready.message)
    if client.protocol is None:
        raise SMTPServerDisconnected("Connection lost")
    client.protocol.write(_DOT.sub(b"..", data))


async def _end(client: SMTP) -> str:
    """Send the dot; from here on the mail may arrive, whatever we hear."""
    done = await client.execute_command(b".")
    if done.code != SMTPStatus.completed:
        raise refusal("DATA", done.code, done.message)
    if client.protocol is not None:
        client.protocol.write(b"QUIT\r\n")  # its answer is not waited for: the mail is sent, whatever it is
    return said(done.code, done.message)


@contextmanager
def _understood() -> Iterator[None]:
    """A server that is not there, or does not answer, as the error that it is."""
    try:
        yield
    except (LaterError, NeverError):
        raise
    except SMTPResponseException as error:
        raise LaterError(
            "mail_server_away", f"The mail server does not take mails now: {said(error.code, error.message)}"
        ) from error
    except TimeoutError as error:
        raise LaterError("mail_server_away", "The mail server does not answer in time.") from error
    except (SMTPException, OSError, UnicodeError) as error:  # the last: of a host's name that is none
        raise LaterError("mail_server_away", f"The mail server cannot be reached: {error}") from error

"""Who we are to NATS, and whom we believe to be NATS."""

import base64
import ssl
from pathlib import Path
from typing import Any

from nats.aio.client import DEFAULT_FLUSH_TIMEOUT, Client

from kit.bus.keys import public_key, sign
from kit.runtime.errors import StartError
from kit.settings import BusSettings


class BusError(StartError):
    """The bus cannot be used; the message says what to do."""


class SigningClient(Client):
    """nats-py's client, which signs with keys of ours (kit/bus/keys.py says why) and survives a failed handshake."""

    async def _process_connect_init(self) -> None:
        try:
            await super()._process_connect_init()
        except BaseException:
            # The next attempt takes a transport of its own: nats-py would first wait for the end of this one, which is
            # never told after a TLS handshake that failed (nats.py issues 382 and 718).
            transport, self._transport = self._transport, None
            if transport is not None:
                transport.close()  # type: ignore[no-untyped-call]
            raise

    async def flush(self, timeout: int = DEFAULT_FLUSH_TIMEOUT) -> None:
        """As nats-py's, whose PING may overtake what is still to be written: its answer then says nothing of that."""
        await self._flush_pending(force_flush=True)
        await super().flush(timeout)

    def _setup_nkeys_seed_connect(self) -> None:
        def seed() -> str:  # a file is read each time: it may have changed
            return self._nkeys_seed_str or Path(str(self._nkeys_seed)).read_text(encoding="utf-8")

        self._public_nkey = public_key(seed())
        self._signature_cb = lambda nonce: _signature(seed(), nonce)

    def _setup_nkeys_jwt_connect(self) -> None:
        file = Path(str(self._user_credentials))
        self._user_jwt_cb = lambda: self._read_creds_user_jwt(file)
        self._signature_cb = lambda nonce: _signature(bytes(self._read_creds_user_nkey(file)).decode(), nonce)


def _signature(seed: str, nonce: str) -> bytes:
    return base64.b64encode(sign(seed, nonce.encode()))


def sign_in_options(settings: BusSettings) -> dict[str, Any]:
    """Who we are, and how we speak TLS, for a `SigningClient`. Raises BusError for what cannot be used."""
    _one_of_both(settings.nkey_file, settings.nkey.get_secret_value(), "STUDIO_NATS_NKEY")
    _one_of_both(settings.ca_file, settings.ca, "STUDIO_NATS_CA")
    options: dict[str, Any] = {"tls_handshake_first": settings.tls_first}
    if settings.credentials_file:
        options["user_credentials"] = str(_readable(settings.credentials_file, "STUDIO_NATS_CREDENTIALS_FILE"))
    if settings.nkey_file:
        options["nkeys_seed"] = str(_readable(settings.nkey_file, "STUDIO_NATS_NKEY_FILE"))
    if seed := settings.nkey.get_secret_value():
        options["nkeys_seed_str"] = _seed(seed)
    if (context := tls_context(settings)) is not None:
        options["tls"] = context
    return options


def tls_context(settings: BusSettings) -> ssl.SSLContext | None:
    """For servers whose certificate this installation has made; None: as this machine trusts. Raises BusError."""
    if settings.ca:
        try:
            return ssl.create_default_context(cadata=settings.ca)
        except (ssl.SSLError, ValueError) as error:
            raise BusError(f"STUDIO_NATS_CA holds no certificates: {error}") from None
    if settings.ca_file is None:
        return ssl.create_default_context() if settings.tls_first else None
    file = _readable(settings.ca_file, "STUDIO_NATS_CA_FILE")
    try:
        return ssl.create_default_context(cafile=str(file))
    except ssl.SSLError as error:
        raise BusError(f"STUDIO_NATS_CA_FILE: {file} holds no certificates: {error.reason or error}") from None


def _seed(text: str) -> str:
    try:
        public_key(text)
    except StartError as error:
        raise BusError(f"STUDIO_NATS_NKEY: {error}") from None
    return text


def _one_of_both(file: Path | None, text: str, variable: str) -> None:
    if file is not None and text:
        raise BusError(f"both {variable} and {variable}_FILE are set; remove one of them")


def _readable(file: Path, variable: str) -> Path:
    try:
        file.read_bytes()
    except OSError as error:
        raise BusError(f"{variable}: {file} cannot be read: {error.strerror}") from None
    return file

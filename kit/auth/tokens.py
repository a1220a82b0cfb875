"""Signed tokens (JWT, HS256): the first form of identity. OIDC tokens and API keys come beside it later."""

import time
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.jwt import JWTClaimsRegistry

from kit.auth.address import BadAddressError, address_or_none, checked_address, checked_name, name_or_none
from kit.auth.principal import Principal
from kit.runtime.errors import StartError
from kit.settings import AuthSettings

ISSUER = "ai-studio"
ALGORITHM = "HS256"
MIN_SECRET_BYTES = 32
MAX_NAME_CHARACTERS = 200
CLOCK_LEEWAY_SECONDS = 30

LOCAL = Principal(tenant="local", user="local")
"""Who everybody is in local mode without a token; `local_user` knows the address."""
LOCAL_ADDRESS = "user@localhost"


class InvalidTokenError(Exception):
    """A token that is not ours, not valid any more, or says nothing."""


class MissingSecretError(StartError):
    """There is nothing to sign with."""


class Tokens:
    """Signs and checks tokens with the configured secret. Raises MissingSecretError if there is none."""

    def __init__(self, settings: AuthSettings) -> None:
        secret = settings.secret.get_secret_value()
        if len(secret.encode()) < MIN_SECRET_BYTES:
            raise MissingSecretError(f"STUDIO_AUTH_SECRET must be set, to {MIN_SECRET_BYTES} bytes or more")
        self._key = OctKey.import_key(secret)
        self._ttl = settings.token_ttl_seconds
        self._claims = JWTClaimsRegistry(
            leeway=CLOCK_LEEWAY_SECONDS,
            iss={"essential": True, "value": ISSUER},
            sub={"essential": True},
            exp={"essential": True},
        )

    def sign(self, principal: Principal) -> str:
        """A token for somebody, valid for the configured time. An address in it counts as verified."""
        now = int(time.time())
        claims: dict[str, Any] = {"iss": ISSUER, "sub": principal.user, "tenant": principal.tenant}
        claims |= {"iat": now, "exp": now + self._ttl}
        if principal.email is not None:
            claims |= {"email": principal.email, "email_verified": True}
        if principal.name is not None:
            claims["name"] = principal.name
        return jwt.encode({"alg": ALGORITHM}, claims, self._key)

    def check(self, token: str) -> Principal:
        """Whose token it is. Raises InvalidTokenError."""
        try:
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
            self._claims.validate(claims)
        except (
            JoseError,
            ValueError,
            TypeError,
            RecursionError,
        ) as error:  # a stranger wrote it: anything may be wrong
            raise InvalidTokenError("the token is not valid, or not valid any more") from error
        tenant, user = claims.get("tenant"), claims.get("sub")
        if not (isinstance(tenant, str) and isinstance(user, str) and tenant and user):
            raise InvalidTokenError("the token names nobody")
        if max(len(tenant), len(user)) > MAX_NAME_CHARACTERS:
            raise InvalidTokenError("the names in the token are too long")
        if any("\ud800" <= character <= "\udfff" for character in tenant + user):
            raise InvalidTokenError("the names in the token are no text")
        return Principal(tenant=tenant, user=user, email=_email(claims), name=_name(claims))


def sign_token(
    settings: AuthSettings, *, tenant: str, user: str, email: str | None = None, name: str | None = None
) -> str:
    """A token for somebody; an empty address or name is none. Raises MissingSecretError, BadAddressError."""
    address = checked_address(email) if email else None
    return Tokens(settings).sign(Principal(tenant, user, address, checked_name(name) if name else None))


def local_user(settings: AuthSettings) -> Principal:
    """The user of local mode, with the address that the settings give. Raises StartError if they give none."""
    try:
        email = checked_address(settings.local_email or LOCAL_ADDRESS)
        name = checked_name(settings.local_name) if settings.local_name else None
    except BadAddressError as error:
        raise StartError(f"STUDIO_AUTH_LOCAL_EMAIL or STUDIO_AUTH_LOCAL_NAME cannot be used: {error}") from None
    return Principal(LOCAL.tenant, LOCAL.user, email, name)


def _email(claims: Mapping[str, Any]) -> str | None:
    """The address, if the provider says that it has verified it. A token with a bad one is valid, without it."""
    email = claims.get("email")
    return address_or_none(email) if claims.get("email_verified") is True and isinstance(email, str) else None


def _name(claims: Mapping[str, Any]) -> str | None:
    name = claims.get("name")
    return name_or_none(name) if isinstance(name, str) else None

"""Signed tokens (JWT, HS256): the first form of identity. OIDC tokens and API keys come beside it later."""

import time

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.jwt import JWTClaimsRegistry

from kit.auth.principal import Principal
from kit.runtime.errors import StartError
from kit.settings import AuthSettings

ISSUER = "ai-studio"
ALGORITHM = "HS256"
MIN_SECRET_BYTES = 32
MAX_NAME_CHARACTERS = 200
CLOCK_LEEWAY_SECONDS = 30

LOCAL = Principal(tenant="local", user="local")
"""Who everybody is in local mode without a token."""


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
        """A token for somebody, valid for the configured time."""
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": principal.user, "tenant": principal.tenant, "iat": now, "exp": now + self._ttl}
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
        return Principal(tenant=tenant, user=user)


def sign_token(settings: AuthSettings, *, tenant: str, user: str) -> str:
    """A token for somebody. Raises MissingSecretError."""
    return Tokens(settings).sign(Principal(tenant=tenant, user=user))

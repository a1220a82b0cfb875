"""Who is calling, and how that becomes a part of a subject."""

import base64
import hashlib
from dataclasses import dataclass

_TOKEN_BYTES = 15  # 24 characters in base32: collisions are out of reach, subjects stay short


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller. `tenant` and `user` are the names the identity provider uses.

    `email` is an address that the provider has verified, `name` is for addressing a person: neither says who it is.
    """

    tenant: str
    user: str
    email: str | None = None
    name: str | None = None

    @property
    def tenant_token(self) -> str:
        """The tenant in subjects and tables: opaque and subject-safe."""
        return _token("tenant", self.tenant)

    @property
    def user_token(self) -> str:
        """The user in subjects and tables; two tenants' users of one name differ."""
        return _token("user", self.tenant, self.user)


def _token(*parts: str) -> str:
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return base64.b32encode(digest[:_TOKEN_BYTES]).decode().lower()

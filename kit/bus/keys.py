"""NKeys: the server knows the public half, its owner has the seed and signs with it.

The package that nats-py would take for this comes as source only, which our image does not install. It is little: an
Ed25519 key, in base 32 with a prefix and a checksum (https://docs.nats.io, "NKeys").
"""

import base64
import binascii
import secrets

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kit.runtime.errors import StartError

_SEED, _USER = 18 << 3, 20 << 3  # what makes the text begin with S, and with U
_KEY_BYTES, _CHECKSUM_BYTES = 32, 2


def new_seed() -> str:
    """The seed of a new user. It is the secret."""
    return _encoded(bytes((_SEED | _USER >> 5, (_USER & 31) << 3)) + secrets.token_bytes(_KEY_BYTES))


def public_key(seed: str) -> str:
    """What the server is told. Raises StartError for a text that is no user's seed."""
    raw = _private(seed).public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return _encoded(bytes((_USER,)) + raw)


def sign(seed: str, data: bytes) -> bytes:
    """The signature of who has the seed. Raises StartError for a text that is no user's seed."""
    return _private(seed).sign(data)


def _private(seed: str) -> Ed25519PrivateKey:
    text = seed.strip()
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise StartError("this is not the seed of an NKey") from None
    content, checksum = raw[:-_CHECKSUM_BYTES], raw[-_CHECKSUM_BYTES:]
    if len(content) != 2 + _KEY_BYTES or _checksum(content) != checksum or content[0] & 248 != _SEED:
        raise StartError("this is not the seed of an NKey")
    if (content[0] & 7) << 5 | content[1] >> 3 != _USER:
        raise StartError("this NKey is not a user's")
    return Ed25519PrivateKey.from_private_bytes(content[2:])


def _encoded(content: bytes) -> str:
    return base64.b32encode(content + _checksum(content)).decode().rstrip("=")


def _checksum(content: bytes) -> bytes:
    return binascii.crc_hqx(content, 0).to_bytes(_CHECKSUM_BYTES, "little")

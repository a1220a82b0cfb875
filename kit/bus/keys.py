"""NKeys: the server knows the public half, its owner has the seed."""

import secrets

import nkeys

from kit.runtime.errors import StartError

_RANDOM_BYTES = 32


def new_seed() -> str:
    """The seed of a new user. It is the secret."""
    return bytes(nkeys.encode_seed(secrets.token_bytes(_RANDOM_BYTES), nkeys.PREFIX_BYTE_USER)).decode()


def public_key(seed: str) -> str:
    """What the server is told. Raises StartError for a text that is no user's seed."""
    try:
        pair = nkeys.from_seed(bytearray(seed.strip().encode()))
        key = bytes(pair.public_key).decode()
    except Exception as error:  # nkeys and base64 have errors of their own for each way to be wrong
        raise StartError("this is not the seed of an NKey") from error
    if not key.startswith("U"):
        raise StartError("this NKey is not a user's")
    return key

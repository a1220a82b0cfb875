"""NKeys, held against what the package `nkeys` makes of the same bytes."""

import base64

import pytest

from kit.bus.keys import new_seed, public_key, sign
from kit.runtime.errors import StartError

SEED = "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y"
PUBLIC = "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK"
SIGNATURE = "+HTq4d6DDHVNb8MsTRAZtSIa0vXA/yuZblwTA7JT5wYzmKBxJ2wpYfjHh7hcptZlidbVw/6ZLyubjm/yDk+OCQ=="


def test_keys_and_signatures_are_those_of_nats() -> None:
    assert public_key(f"{SEED}\n") == PUBLIC
    assert base64.b64encode(sign(SEED, b"nonce")).decode() == SIGNATURE


def test_a_new_seed_is_a_users_and_never_the_same() -> None:
    seeds = {new_seed() for _ in range(20)}
    assert len(seeds) == 20
    assert all(seed.startswith("SU") and len(seed) == len(SEED) for seed in seeds)
    assert all(public_key(seed).startswith("U") for seed in seeds)


@pytest.mark.parametrize("text", ["", "SU", PUBLIC, SEED[:-1], SEED.replace("AAICAM", "AAICAN"), "äöü", SEED * 2])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(StartError, match="not the seed of an NKey"):
        public_key(text)


def test_the_seed_of_somebody_who_is_no_user_is_refused() -> None:
    account = "SAAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4"
    with pytest.raises(StartError):
        public_key(account)

"""The sockets of a call lead to public addresses only."""

import socket

import pytest

from services.notifier.hooks.guard import ForbiddenAddressError, Guard


def info(address: str) -> tuple[int, int, int, str, tuple[str, int]]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 443)


def test_a_public_address_gets_a_socket() -> None:
    guard = Guard(allow_private=False)
    with guard.socket(info("8.8.8.8")) as made:
        assert made.family == socket.AF_INET
    assert not guard.forbade


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:10.0.0.1", "169.254.169.254"])
def test_a_private_one_gets_none(address: str) -> None:
    guard = Guard(allow_private=False)
    with pytest.raises(ForbiddenAddressError):
        guard.socket(info(address))
    assert guard.forbade


def test_one_public_address_among_others_is_enough() -> None:
    guard = Guard(allow_private=False)
    with pytest.raises(ForbiddenAddressError):
        guard.socket(info("10.0.0.1"))
    guard.socket(info("8.8.8.8")).close()
    assert not guard.forbade


def test_private_ones_may_be_allowed() -> None:
    guard = Guard(allow_private=True)
    guard.socket(info("127.0.0.1")).close()
    assert not guard.forbade

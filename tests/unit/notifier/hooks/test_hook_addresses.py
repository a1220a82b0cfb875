"""What counts as public when a stranger's URL is called."""

import ipaddress

import pytest

from services.notifier.hooks.addresses import is_public

PUBLIC = ("8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2a00:1450::1")
PRIVATE = (
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",
    "2001:10::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2606:4700::1111%eth0",
)
CARRIERS = ("::ffff:{}", "64:ff9b::{}", "::{}", "::ffff:0:{}", "2606:4700::5efe:{}", "2606:4700::200:5efe:{}")


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("carried", ["127.0.0.1", "169.254.169.254", "8.8.8.8"])
@pytest.mark.parametrize("carrier", CARRIERS)
def test_an_address_that_carries_another_is_not_public(carrier: str, carried: str) -> None:
    assert not is_public(carrier.format(carried))


@pytest.mark.parametrize("carried", ["127.0.0.1", "10.0.0.1", "8.8.8.8"])
def test_nor_are_the_tunnels(carried: str) -> None:
    inner = int(ipaddress.IPv4Address(carried))
    six_to_four = ipaddress.IPv6Address(0x2002 << 112 | inner << 80 | 1)
    teredo = ipaddress.IPv6Address(0x20010000 << 96 | inner ^ 0xFFFF_FFFF)
    assert six_to_four.sixtofour == ipaddress.IPv4Address(carried)
    assert teredo.teredo is not None
    assert teredo.teredo[1] == ipaddress.IPv4Address(carried)
    assert not is_public(str(six_to_four))
    assert not is_public(str(teredo))


@pytest.mark.parametrize("text", ["", "example.com", "0177.0.0.1", "127.1", "2130706433", "1.2.3.4.5"])
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert not is_public(text)

"""Which addresses are public. Pure: this decides what a stranger's URL may make us connect to."""

from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NOT_PUBLIC_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # shared by a provider's customers; Alibaba's metadata
        "168.63.129.16/32",  # Azure's own, which answers inside of Azure only
        "192.0.0.0/24",  # the protocols' own; Oracle's metadata
        "192.88.99.0/24",  # relays of 6to4
        "198.18.0.0/15",
        "240.0.0.0/4",
    )
)
"""Said here because what `ipaddress` says of some of them differs between versions of Python."""

_UNICAST = IPv6Network("2000::/3")
"""All that is assigned as public; `::1`, mapped addresses, NAT64, private, link-local and multicast are outside."""
_NOT_PUBLIC_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # the protocols' own, with Teredo, which carries an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries an IPv4 address
        "3fff::/20",
    )
)
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""The first half of an interface's id that carries an IPv4 address (RFC 5214)."""


def is_public(address: str) -> bool:
    """Whether an address, as a socket takes it, is on the public internet. What is no address is not.

    An IPv6 address that carries an IPv4 one is never public: whoever has the public one can name that itself.
    """
    try:
        found = ip_address(address)
    except (AddressValueError, ValueError):
        return False
    if isinstance(found, IPv4Address):
        return _usual(found) and not any(found in network for network in _NOT_PUBLIC_4)
    if found.scope_id is not None or found not in _UNICAST or int(found) >> 32 & 0xFFFF_FFFF in _ISATAP:
        return False
    return _usual(found) and not any(found in network for network in _NOT_PUBLIC_6)


def _usual(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )

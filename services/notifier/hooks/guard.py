"""The last word on where a call connects to: every socket of a call is made here.

A name may mean a public address when it is looked at and a private one when it is called (DNS rebinding), so nothing
before the connection counts.
"""

import socket

from aiohappyeyeballs import AddrInfoType

from services.notifier.hooks.addresses import is_public


class ForbiddenAddressError(OSError):
    """An address is not public. An OSError, so that the next address of the name is tried."""


class Guard:
    """Makes the sockets of one call, to public addresses only unless others are allowed."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._made = self._forbidden = 0

    def socket(self, info: AddrInfoType) -> socket.socket:
        """A socket for an address that is about to be connected to. Raises ForbiddenAddressError."""
        family, kind, protocol, _, address = info
        if not (self._allow_private or is_public(str(address[0]))):
            self._forbidden += 1
            raise ForbiddenAddressError("not a public address")
        self._made += 1
        return socket.socket(family=family, type=kind, proto=protocol)

    @property
    def forbade(self) -> bool:
        """Whether there were addresses, and none that may be called."""
        return self._forbidden > 0 and self._made == 0

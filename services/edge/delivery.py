"""Whether what was written to a client has got there: its kernel confirms it, and ours knows.

Without that, an answer to a laptop that was closed a moment ago would count as seen: its connection looks open until
something is sent and nothing comes back. Behind a proxy it is the proxy that confirms.
"""

import asyncio
import contextlib
import os
import socket
import sys
from typing import Self

TRANSPORT = "studio.transport"
"""In the scope: the connection itself (services/edge/server.py). A test without a server has none."""

FIRST_LOOK_SECONDS = 0.005
LONGEST_PAUSE_SECONDS = 1.0
PATIENCE_SECONDS = 30.0
"""For a confirmation, if there is no limit after which a silent client counts as gone."""
_INT = 4
_TCP_CLOSE = 7
"""Of linux/tcp_states.h."""
UNCONFIRMED, UNSENT = 0x5411, 0x894B
"""SIOCOUTQ and SIOCOUTQNSD, tcp(7): bytes that the kernel was given; the stream's end is one."""


class Delivery:
    """All that was written to a connection so far, and what is written until it is looked at.

    It keeps a hold of the socket until it is closed, since clients and we may hang up before the answer is known.
    """

    def __init__(self, transport: asyncio.Transport, hold: socket.socket) -> None:
        self._transport, self._hold = transport, hold
        self._protocol = transport.get_protocol()
        self._shut = False
        self._flushed = not transport.get_write_buffer_size()

    @classmethod
    def on(cls, transport: asyncio.Transport | None) -> Self | None:
        """What was written to this connection; None: nobody knows. Raises ConnectionError if it is gone."""
        if transport is None or sys.platform != "linux":
            return None
        if transport.is_closing():
            raise ConnectionError("the connection is closed")
        own = transport.get_extra_info("socket")
        if own is None:
            return None
        try:
            return cls(transport, socket.socket(fileno=os.dup(own.fileno())))
        except OSError as error:
            raise ConnectionError("the connection is closed") from error

    async def confirmed(self, seconds: float) -> bool:
        """Whether all of it was confirmed within so long (0: the usual patience)."""
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + (seconds or PATIENCE_SECONDS), FIRST_LOOK_SECONDS
        while not self._arrived():
            if self._lost():
                return self._hung_up()
            if loop.time() + pause > deadline:
                return False
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return True

    def close(self) -> None:
        """Let go of the connection."""
        self._hold.close()

    def _arrived(self) -> bool:
        if self._transport.is_closing():
            self._say_goodbye()
        elif self._transport.get_write_buffer_size():
            return False
        else:
            self._flushed = True
        return _waiting(self._hold, UNCONFIRMED) == 0

    def _hung_up(self) -> bool:
        """Whether the client has cut the connection after everything was sent to it: what has read a run's end may do
        so before its kernel has confirmed it. One whose machine is silent is given up instead.
        """
        silent = isinstance(getattr(self._protocol, "lost", None), TimeoutError)
        return self._flushed and not silent and _waiting(self._hold, UNSENT) == 0

    def _say_goodbye(self) -> None:
        """The connection was closed, and our hold must not keep the end from its client."""
        if not self._shut and not self._transport.get_write_buffer_size():
            self._shut = True
            with contextlib.suppress(OSError):
                self._hold.shutdown(socket.SHUT_WR)

    def _lost(self) -> bool:
        """Nothing can be confirmed any more: the client has cut the connection, or it was given up."""
        return self._hold.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _TCP_CLOSE


def _waiting(connection: socket.socket, which: int) -> int:
    """Bytes that are not confirmed, or not even sent."""
    import fcntl

    told = fcntl.ioctl(connection.fileno(), which, bytes(_INT))
    return int.from_bytes(told, sys.byteorder)

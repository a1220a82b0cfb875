"""Leaves no process behind when the supervisor itself is killed.

The guard is a tiny process in a session of its own that knows every child and reads a pipe from the supervisor. When
the pipe closes while children are left, the supervisor is gone: the guard asks the children to stop, kills what
has not stopped in time, and ends. On Linux the kernel has already signalled the children (see spawn.py); the guard
works everywhere and is the one that does not take silence for an answer. It also holds the lock of the data
directory, so that nobody starts a second stack on top of one that is still stopping.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import IO

GRACE_SECONDS = 12.0
LAST_SECONDS = 2.0  # after SIGKILL; orphans that nobody reaps would be waited for in vain
POLL_SECONDS = 0.05


class Guard:
    """The supervisor's side. Replaces the guard process if somebody kills it."""

    def __init__(self, keep_open: Sequence[int] = (), *, grace_seconds: float = GRACE_SECONDS) -> None:
        """`keep_open`: file descriptors the guard holds until the last child is gone (the lock).

        `grace_seconds`: from asking the children to stop to killing them.
        """
        self._grace_seconds = grace_seconds
        self._keep_open = tuple(keep_open)
        self._children: dict[int, signal.Signals] = {}
        self._process = self._spawn()

    def add(self, pid: int, stop_signal: signal.Signals) -> None:
        """Watch over a process group whose leader is `pid`."""
        self._children[pid] = stop_signal
        self._tell(f"+{pid} {int(stop_signal)}\n")

    def remove(self, pid: int) -> None:
        """Forget a group that is gone."""
        self._children.pop(pid, None)
        self._tell(f"-{pid}\n")

    def close(self) -> None:
        """Let the guard go; it stops whatever it still knows of."""
        with contextlib.suppress(OSError):
            _pipe(self._process).close()
        if not self._children:
            self._process.wait(self._grace_seconds + LAST_SECONDS)

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, "-I", "-S", __file__, str(self._grace_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
            pass_fds=self._keep_open,
        )

    def _tell(self, line: str) -> None:
        try:
            _pipe(self._process).write(line.encode())
        except OSError:
            self._process.wait(LAST_SECONDS)
            self._process = self._spawn()
            for pid, stop_signal in self._children.items():
                _pipe(self._process).write(f"+{pid} {int(stop_signal)}\n".encode())


def _pipe(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdin is None:
        raise RuntimeError("the guard was started without a pipe")
    return process.stdin


def _signal_group(pid: int, signal_number: int) -> bool:
    """Whether there was anybody to signal."""
    try:
        os.killpg(pid, signal_number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _wait_until_gone(pids: set[int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while pids and time.monotonic() < deadline:
        pids -= {pid for pid in pids if not _signal_group(pid, 0)}
        time.sleep(POLL_SECONDS)


def main() -> None:
    """Read `+PID SIGNAL` and `-PID` until the pipe closes, then stop whoever is left."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    children: dict[int, int] = {}
    for line in sys.stdin:
        if line.startswith("+"):
            pid, stop_signal = line[1:].split()
            children[int(pid)] = int(stop_signal)
        else:
            children.pop(int(line[1:]), None)
    left = {pid for pid, stop_signal in reversed(children.items()) if _signal_group(pid, stop_signal)}
    _wait_until_gone(left, float(sys.argv[1]))
    for pid in left:
        _signal_group(pid, signal.SIGKILL)
    _wait_until_gone(left, LAST_SECONDS)


if __name__ == "__main__":
    main()

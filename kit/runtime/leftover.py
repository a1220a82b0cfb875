"""What a Postgres that was killed leaves in its data directory."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from kit.runtime.errors import StartError

STOP_SECONDS = 10.0
POLL_SECONDS = 0.05


def stop_leftover(data: Path) -> None:
    """Stop a server that still works on this data, and remove the note (`postmaster.pid`) of one that does not.

    Postgres itself refuses to start when the process id in the note has been given to another program since, which is
    common in containers. Only for callers that hold the lock of the data directory. Raises StartError.
    """
    note = data / "postmaster.pid"
    try:
        pid = int(note.read_text(encoding="utf-8").splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        note.unlink(missing_ok=True)  # an empty note is one that was cut off
        return
    for signal_number in (signal.SIGINT, signal.SIGKILL):
        if not _works_on(pid, data):
            note.unlink(missing_ok=True)
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal_number)
        deadline = time.monotonic() + STOP_SECONDS
        while _works_on(pid, data) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    if _works_on(pid, data):
        raise StartError(f"an earlier Postgres (pid {pid}) still works on {data} and cannot be stopped; stop it first")
    note.unlink(missing_ok=True)


def _works_on(pid: int, data: Path) -> bool:
    """Whether this process is a Postgres server for this data directory."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        if Path("/proc/self").exists():
            return False
        answer = subprocess.run(  # noqa: S603 - where there is no /proc (macOS)
            ["ps", "-ww", "-o", "command=", "-p", str(pid)],  # noqa: S607
            capture_output=True,
            check=False,
            timeout=STOP_SECONDS,
        )
        return str(data).encode() in answer.stdout and b"postgres" in answer.stdout
    return os.fsencode(data) in words and b"postgres" in words[0]

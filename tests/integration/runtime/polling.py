"""Wait for an outcome, with a deadline."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.02


async def eventually(condition: Callable[[], object], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(POLL_SECONDS)


def is_alive(pid: int) -> bool:
    """Running, and not a zombie that waits for its parent."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc/self").exists()

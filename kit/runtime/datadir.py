"""The one folder in which the local stack keeps everything: who runs in it, its secrets, ports and data."""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kit.runtime.errors import StartError
from kit.runtime.ports import free_port, port_is_free

MIN_FREE_BYTES = 512 * 1024 * 1024
SECRET_BYTES = 32
STILL_STOPPING_SECONDS = 20.0  # a stack whose supervisor was killed takes this long at most (guard.py)
POLL_SECONDS = 0.05


@dataclass
class State:
    """What `ask`, `token` and tests need to find the running stack. Kept in `state.json`, mode 0600."""

    pid: int
    url: str
    ready: bool = False
    nats_url: str = ""
    dsn: str = ""  # the administrator's, with its password
    pids: dict[str, int] = field(default_factory=dict)  # of every child by name


class DataDirectory:
    """The folder. Every method that writes raises StartError with a clear line when it cannot."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()

    def create(self) -> None:
        """Make the folder and see that it can be written and has room."""
        try:
            self.path.mkdir(mode=0o755, parents=True, exist_ok=True)
            (self.path / "logs").mkdir(mode=0o700, exist_ok=True)
            probe = self.path / ".write-test"
            probe.write_bytes(b"x")
            probe.unlink()
            free = shutil.disk_usage(self.path).free
        except OSError as error:
            raise StartError(
                f"the data directory {self.path} cannot be written: {error.strerror}; "
                "set STUDIO_DATA_DIR to a folder of yours"
            ) from error
        if free < MIN_FREE_BYTES:
            raise StartError(
                f"only {free // 2**20} MiB are free in {self.path}, {MIN_FREE_BYTES // 2**20} MiB are needed; "
                "make room or set STUDIO_DATA_DIR to another disk"
            )

    def lock(self) -> int:
        """Take the folder for ourselves; returns the descriptor that holds the lock until it is closed.

        A stack whose supervisor was killed holds the lock until its last process is gone; that is waited for.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + STILL_STOPPING_SECONDS
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            state = self.state()
            alive = state is not None and _is_alive(state.pid)
            if alive or time.monotonic() > deadline:
                os.close(descriptor)
                who = f"pid {state.pid}, {state.url}" if state else "it has only just begun"
                raise StartError(f"AI Studio already runs in {self.path} ({who}); stop it first, or use that one")
            time.sleep(POLL_SECONDS)

    def secret(self, name: str) -> str:
        """A random text (43 characters, 256 bits) that is made once and kept, readable by the owner only."""
        if kept := self.kept_secret(name):
            return kept
        path = self.path / "secrets" / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        value = secrets.token_urlsafe(SECRET_BYTES)
        write_private(path, value + "\n")
        return value

    def kept_secret(self, name: str) -> str | None:
        """The secret that `secret` made, if it did."""
        try:
            return (self.path / "secrets" / name).read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None

    def port(self, name: str) -> int:
        """The port `name` used last time if it is still free, otherwise a free one, remembered from now on."""
        path = self.path / "ports" / name
        with contextlib.suppress(FileNotFoundError, ValueError):
            if port_is_free(kept := int(path.read_text(encoding="ascii"))):
                return kept
        path.parent.mkdir(exist_ok=True)
        port = free_port()
        write_private(path, f"{port}\n")
        return port

    def state(self) -> State | None:
        """What the last stack wrote; none when there is none, or it is not readable."""
        try:
            return State(**json.loads((self.path / "state.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def running(self) -> State | None:
        """The stack that runs here now."""
        state = self.state()
        return state if state is not None and _is_alive(state.pid) else None

    def write_state(self, state: State) -> None:
        """Replace the state in one step: a reader sees the old or the new one."""
        write_private(self.path / "state.json", json.dumps(asdict(state), indent=1) + "\n")

    def clear_state(self) -> None:
        """Nothing runs here any more."""
        (self.path / "state.json").unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file for the owner's eyes only (0600), whole or not at all. Raises OSError."""
    new = path.with_name(path.name + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

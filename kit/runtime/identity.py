"""Under whose name a program may run that refuses to be root (Postgres), and whether that name gets to its files."""

import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kit.runtime.errors import StartError

USERS = ("postgres", "nobody", "daemon")  # the first that this machine knows
CHECK_SECONDS = 10.0

_SPAWN = str(Path(__file__).with_name("spawn.py"))


def unprivileged(paths: Sequence[Path]) -> str:
    """The IDENTITY for spawn.py under which a program reaches all these paths. Raises StartError.

    As a normal user: ourselves. As root: an unprivileged user if it can walk to every path, otherwise a user
    namespace in which root's own id is shown as that user's. We do not open root's directories to everybody for it.
    """
    if os.geteuid() != 0:
        return "-"
    user = _user()
    closed = [path for path in paths if not _can_walk_to(path, user.pw_uid, user.pw_gid)]
    if not closed:
        return f"user:{user.pw_uid}:{user.pw_gid}"
    identity = f"namespace:{user.pw_uid}:{user.pw_gid}"
    # In the namespace it is still root who owns its files, but without root's power over everybody else's.
    if all(_can_walk_to(path, 0, 0) for path in paths) and _works(identity):
        return identity
    raise StartError(
        f"Postgres does not run as root, and the user {user.pw_name} cannot reach {closed[0]}; run as a normal "
        "user, or put the program and STUDIO_DATA_DIR where everybody may pass (chmod o+x on each folder above)"
    )


def hand_over(folder: Path, identity: str) -> None:
    """Give a folder and all in it to the user of this identity (only root has to, and only when it changes)."""
    if os.geteuid() != 0:
        return
    kind, _, ids = identity.partition(":")
    uid, gid = map(int, ids.split(":")) if kind == "user" else (0, 0)
    if folder.stat().st_uid == uid:
        return
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(root) / name, uid, gid, follow_symlinks=False)
    os.chown(folder, uid, gid)  # last: an interrupted change is repeated


def _user() -> pwd.struct_passwd:
    for name in USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise StartError(f"Postgres does not run as root and there is no user {', '.join(USERS)}; run as a normal user")


def _can_walk_to(path: Path, uid: int, gid: int) -> bool:
    for folder in path.resolve().parents:
        about = folder.stat()
        if about.st_uid == uid:
            allowed = about.st_mode & stat.S_IXUSR
        elif about.st_gid == gid:
            allowed = about.st_mode & stat.S_IXGRP
        else:
            allowed = about.st_mode & stat.S_IXOTH
        if not allowed:
            return False
    return True


def _works(identity: str) -> bool:
    command = [sys.executable, "-I", "-S", _SPAWN, str(os.getpid()), "15", identity, "true"]
    try:
        return subprocess.run(command, capture_output=True, timeout=CHECK_SECONDS, check=False).returncode == 0  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False

"""The first moments of every child process: tie its life to ours, drop root, become the program.

Run as a script (`python -I -S spawn.py PARENT SIGNAL IDENTITY COMMAND…`, about 10 ms) and not as a
`preexec_fn`, because Python code between fork and exec can deadlock in a process that has threads.
IDENTITY is `-` (stay who we are), `user:UID:GID` (drop root) or `namespace:UID:GID` (a user namespace in which
root's own id is shown as UID: the program is not root and may still enter root's directories).
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
CANNOT_START = 126  # the shell's word for "found, but could not be executed"


def drop_to_user(uid: int, gid: int) -> None:
    """Become an ordinary user for good."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def enter_namespace(uid: int, gid: int) -> None:
    """Be shown as an ordinary user while the kernel still lets us into root's files (user_namespaces(7))."""
    libc = ctypes.CDLL(None, use_errno=True)
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are not allowed here")
    for name, text in (
        ("uid_map", f"{uid} {outer_uid} 1"),
        ("setgroups", "deny"),
        ("gid_map", f"{gid} {outer_gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs start-up time
            file.write(text)


def die_with(parent: int, signal_number: int) -> None:
    """Ask the kernel for a signal when our parent dies, however it dies. Linux only; elsewhere the guard does it."""
    if sys.platform == "linux":
        # After the change of identity: changing credentials clears this flag (prctl(2)).
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        raise SystemExit(CANNOT_START)


def main(arguments: list[str]) -> None:
    """Apply what was asked for and become the command."""
    parent, signal_number, identity, *command = arguments
    kind, _, ids = identity.partition(":")
    if kind == "user":
        drop_to_user(*map(int, ids.split(":")))
    elif kind == "namespace":
        enter_namespace(*map(int, ids.split(":")))
    die_with(int(parent), int(signal_number))
    os.execvp(command[0], command)  # noqa: S606 - there must be no shell


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.stderr.write(f"cannot start {sys.argv[4]}: {error.strerror}\n")
        raise SystemExit(CANNOT_START) from None

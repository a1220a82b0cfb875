"""Prints the part of requirements.lock that the services need: `runtime_lock.py pyproject.toml requirements.lock`.

There is one lock, and pip takes hashes from a requirements file only (not from a constraints file: "all requirements
must have their versions pinned"). So the image installs a part of the lock: what `dependencies` in pyproject.toml
names, and whatever is there because of it, which the lock's own `# via` lines tell. Standard library only: it runs
before anything is installed. A package too few cannot pass: pip refuses an unpinned dependency where hashes are given.
"""

import re
import sys
import tomllib
from pathlib import Path

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def name_of(requirement: str) -> str:
    """The normalised name of the package that a requirement asks for."""
    match = NAME.match(requirement)
    if match is None:
        raise SystemExit(f"error: no package name in {requirement!r}")
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def blocks_of(lock: str) -> dict[str, list[str]]:
    """Each package's lines: its pin, its hashes, and who asked for it."""
    blocks: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in lock.splitlines():
        if line[:1].isalnum():
            lines = blocks.setdefault(name_of(line), [])
        elif not line.startswith(" "):
            continue  # a comment of the whole file
        lines.append(line)
    return blocks


def parents_of(block: list[str]) -> set[str]:
    """Who asked for a package: `# via one`, or `# via` and a line for each."""
    comments = (line.strip(" #").removeprefix("via").strip() for line in block if line.strip().startswith("#"))
    return {name_of(comment) for comment in comments if comment}


def runtime_lock(pyproject: str, lock: str) -> str:
    """The lock of the product without its extras."""
    blocks = blocks_of(lock)
    wanted = {name_of(requirement) for requirement in tomllib.loads(pyproject)["project"]["dependencies"]}
    if missing := wanted - blocks.keys():
        raise SystemExit(f"error: not in the lock: {', '.join(sorted(missing))}; run `task lock`")
    parents = {name: parents_of(block) for name, block in blocks.items()}
    while more := {name for name in blocks if name not in wanted and parents[name] & wanted}:
        wanted |= more
    return "".join(f"{line}\n" for name, block in blocks.items() if name in wanted for line in block)


if __name__ == "__main__":
    sys.stdout.write(runtime_lock(*(Path(name).read_text(encoding="utf-8") for name in sys.argv[1:3])))

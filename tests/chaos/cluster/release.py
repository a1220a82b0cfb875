"""A version of the product that processes are started from: this checkout, or another commit in a folder of its own.

Both run on the packages of this environment: what is tried is our own code, not another set of packages.
"""

import functools
import io
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
_WHAT_IT_IS = "import services.roster as r; print(r.__file__, *(spec.name for spec in r.ROSTER))"


@dataclass(frozen=True)
class Release:
    """Where its code is."""

    name: str
    root: Path

    @functools.cached_property
    def services(self) -> tuple[str, ...]:
        """The names in its roster, asked of its own code. Raises RuntimeError when it is other code that answers."""
        command = (sys.executable, "-P", "-c", _WHAT_IT_IS)
        said = subprocess.run(command, env={"PYTHONPATH": str(self.root)}, capture_output=True, text=True, check=False)
        file, *names = said.stdout.split() if said.returncode == 0 else ("",)
        if not Path(file).is_relative_to(self.root):
            raise RuntimeError(f"{self.name} is not what runs from {self.root}: {file}{said.stderr}")
        return tuple(names)


CURRENT = Release("this version", ROOT)


def checked_out(ref: str, folder: Path) -> Release:
    """The files of a commit in a new folder. Raises RuntimeError when git does not know it."""
    commit = _git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").decode().strip()
    with tarfile.open(fileobj=io.BytesIO(_git("archive", "--format=tar", commit))) as archive:
        archive.extractall(folder, filter="data")
    return Release(f"{ref} ({commit[:7]})" if not commit.startswith(ref) else commit[:7], folder.resolve())


def one_before() -> str:
    """The release before this one: the newest tag before this commit, else `origin/main`, else the commit before.

    Raises RuntimeError when there is none of these, as in a clone without history.
    """
    here = _git("rev-parse", "HEAD")
    for words in (("describe", "--tags", "--abbrev=0", "HEAD^"), ("rev-parse", "--verify", "origin/main")):
        try:
            found = _git(*words).decode().strip()
        except RuntimeError:
            continue
        if _git("rev-parse", f"{found}^{{commit}}") != here:
            return found
    _git("rev-parse", "--verify", "--quiet", "HEAD^")
    return "HEAD^"


def _git(*words: str) -> bytes:
    done = subprocess.run(("git", *words), cwd=ROOT, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"git {' '.join(words)}: {done.stderr.decode().strip() or 'there is no such commit here'}")
    return done.stdout

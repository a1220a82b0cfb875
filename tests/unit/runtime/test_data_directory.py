import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kit.runtime import datadir
from kit.runtime.datadir import DataDirectory, State
from kit.runtime.errors import StartError


def test_a_secret_is_made_once_and_is_for_the_owner_only(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path)
    assert data.kept_secret("auth") is None
    secret = data.secret("auth")
    assert len(secret.encode()) >= 32
    assert DataDirectory(tmp_path).secret("auth") == secret
    assert stat.S_IMODE((tmp_path / "secrets" / "auth").stat().st_mode) == 0o600


def test_a_port_is_remembered_while_it_is_free(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path)
    port = data.port("nats")
    assert data.port("nats") == port
    with socket.create_server(("127.0.0.1", port)):
        assert data.port("nats") != port


def test_a_broken_note_of_a_port_is_replaced(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path)
    (tmp_path / "ports").mkdir()
    (tmp_path / "ports" / "nats").write_text("garbage")
    assert data.port("nats") > 0


def test_too_little_space_is_a_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datadir, "MIN_FREE_BYTES", 2**60)
    with pytest.raises(StartError, match=r"MiB are free in .* STUDIO_DATA_DIR"):
        DataDirectory(tmp_path).create()


def test_a_folder_that_cannot_be_made_is_a_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match=r"cannot be written: Not a directory; set STUDIO_DATA_DIR"):
        DataDirectory(tmp_path / "file" / "data").create()


def test_the_second_owner_learns_who_the_first_is(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path)
    lock = data.lock()
    data.write_state(State(pid=os.getpid(), url="http://127.0.0.1:1"))
    with pytest.raises(StartError, match=rf"pid {os.getpid()}, http://127\.0\.0\.1:1"):
        data.lock()
    os.close(lock)
    os.close(data.lock())


def test_a_stack_that_is_still_stopping_is_waited_for(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path)
    lock = data.lock()
    # The guard of a killed stack: it inherits the lock, and ends some time after the stack's own process.
    guard = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock,))
    os.close(lock)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    data.write_state(State(pid=ended.pid, url="http://127.0.0.1:1"))
    assert guard.stdin is not None
    guard.stdin.close()
    os.close(data.lock())
    guard.wait()


def test_the_state_is_private_and_a_broken_one_is_none(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path)
    data.write_state(State(pid=os.getpid(), url="u", dsn="secret"))
    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600
    assert data.running() is not None
    (tmp_path / "state.json").write_text('{"pid": ')
    assert data.state() is None
    (tmp_path / "state.json").write_text('{"other": 1}')
    assert data.state() is None

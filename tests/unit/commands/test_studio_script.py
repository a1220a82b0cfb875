"""The script `studio` without a network: what it installs is replaced."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "studio"


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("studio_script", str(SCRIPT))
    spec = importlib.util.spec_from_loader("studio_script", loader)
    assert spec is not None
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    lock = tmp_path / "requirements.lock"
    lock.write_text("", encoding="utf-8")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "LOCK", lock)
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)  # as if no environment were active
    monkeypatch.delenv("STUDIO_VENV", raising=False)
    return module


def count_installs(studio: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    installs: list[Path] = []

    def create(environment: Path) -> None:
        (environment / "bin").mkdir(parents=True, exist_ok=True)
        (environment / "bin" / "python").symlink_to(sys.executable)

    def install(environment: Path, held: int) -> None:
        installs.append(environment)
        (environment / studio.MARK).write_text(studio.wanted())

    monkeypatch.setattr(studio, "create", create)
    monkeypatch.setattr(studio, "install", install)
    return installs


def test_it_installs_once_and_again_when_the_lock_has_changed(
    studio: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installs = count_installs(studio, monkeypatch)
    assert studio.environment_to_use() == tmp_path / ".venv"
    studio.environment_to_use()
    assert len(installs) == 1
    studio.LOCK.write_text("# changed\n")
    studio.environment_to_use()
    assert len(installs) == 2


def test_a_half_installed_environment_is_made_again(
    studio: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = tmp_path / ".venv"
    environment.mkdir()
    (environment / studio.BEGUN).touch()
    made: list[Path] = []
    monkeypatch.setattr(studio, "create", made.append)
    monkeypatch.setattr(studio, "install", lambda environment, held: None)
    studio.environment_to_use()
    assert made == [environment]


def test_somebody_elses_broken_environment_is_not_touched(studio: Any, tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "precious").touch()
    with pytest.raises(SystemExit, match="was not made by me"):
        studio.environment_to_use()
    assert (tmp_path / ".venv" / "precious").exists()


def test_an_old_python_is_told_which_one_is_needed(studio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio, "MIN_PYTHON", (9, 9))
    with pytest.raises(SystemExit, match=r"needs Python 9\.9 or newer"):
        studio.main()


def test_a_python_without_venv_says_what_to_install(
    studio: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name))
    with pytest.raises(SystemExit, match=r"has no ensurepip(.|\n)*apt-get install python3\.\d+-venv"):
        studio.environment_to_use()
    assert not (tmp_path / ".venv").exists()


def test_the_lock_names_no_place_to_load_from() -> None:
    lock = (SCRIPT.parent / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "--index" not in lock
    assert "--find-links" not in lock
    assert "@ " not in lock

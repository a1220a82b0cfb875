"""Secrets that containers are given as files."""

from pathlib import Path

import pytest

from kit.runtime.errors import StartError
from services.commands.secret_files import make_secrets, read_secret_files


def test_a_variable_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("quite secret\n")
    environment = {"STUDIO_AUTH_SECRET_FILE": str(tmp_path / "secret"), "STUDIO_MODELS_FILE": "/no/secret"}
    read_secret_files(environment)
    assert environment["STUDIO_AUTH_SECRET"] == "quite secret"
    assert "STUDIO_MODELS" not in environment


def test_a_file_that_cannot_be_read_and_a_secret_given_twice_are_said(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"PGPASSWORD_FILE: .* cannot be read: No such file"):
        read_secret_files({"PGPASSWORD_FILE": str(tmp_path / "none")})
    with pytest.raises(StartError, match="both PGPASSWORD and PGPASSWORD_FILE are set"):
        read_secret_files({"PGPASSWORD_FILE": str(tmp_path / "none"), "PGPASSWORD": "one"})


def test_a_secret_is_made_once_kept_and_replaced_only_by_a_given_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    monkeypatch.delenv("SOME_SECRET", raising=False)
    make_secrets([f"SOME_SECRET={file}"])
    made = file.read_text()
    assert len(made.strip()) >= 43
    make_secrets([f"SOME_SECRET={file}"])
    assert file.read_text() == made
    monkeypatch.setenv("SOME_SECRET", "my own")
    make_secrets([f"SOME_SECRET={file}"])
    assert file.read_text() == "my own\n"
    monkeypatch.delenv("SOME_SECRET")
    make_secrets([f"SOME_SECRET={file}"])
    assert file.read_text() == "my own\n"


def test_an_empty_file_of_a_full_disk_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("")
    make_secrets([f"SOME_SECRET={tmp_path / 'secret'}"])
    assert (tmp_path / "secret").read_text().strip()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot be kept: No such file"):
        make_secrets([f"SOME_SECRET={tmp_path / 'none' / 'secret'}"])


def test_a_fixed_secret_is_not_lost_by_giving_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    monkeypatch.setenv("SOME_SECRET", "the first")
    make_secrets([f"SOME_SECRET={file}"], fixed=["SOME_SECRET"])
    make_secrets([f"SOME_SECRET={file}"], fixed=["SOME_SECRET"])
    monkeypatch.setenv("SOME_SECRET", "another one")
    with pytest.raises(StartError, match="SOME_SECRET is not the one of the first start"):
        make_secrets([f"SOME_SECRET={file}"], fixed=["SOME_SECRET"])
    assert file.read_text() == "the first\n"

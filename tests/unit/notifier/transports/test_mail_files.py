"""E-mails as files, and which transport the settings mean."""

from pathlib import Path
from typing import Any

import pytest

from kit.notifier_settings import NotifierSettings
from kit.runtime.errors import StartError
from kit.settings import Settings
from services.notifier.failures import LaterError
from services.notifier.mail.message import Recipient
from services.notifier.transports.choice import make_transport
from services.notifier.transports.file import FileTransport, file_name
from services.notifier.transports.ses import SesTransport
from services.notifier.transports.smtp import SmtpTransport
from tests.unit.notifier.mail.composing import composed


async def nothing() -> None:
    """It may go."""


def names(folder: Path) -> list[str]:
    """Of everything there, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def modes(folder: Path) -> set[int]:
    """Who may do what with a folder and what is in it."""
    return {path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}


def content(file: str) -> bytes:
    """Of a file."""
    return Path(file).read_bytes()


async def test_a_mail_is_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "mail"
    transport = FileTransport(folder)
    file = await transport.send(composed(), nothing)
    assert file == str(folder / "dlv_1@example.com.eml")
    assert modes(folder) == {0o600, 0o700}
    assert content(file) == composed().as_bytes()
    assert str(folder) in transport.where()


async def test_the_same_mail_again_is_the_same_file(tmp_path: Path) -> None:
    transport = FileTransport(tmp_path)
    first = await transport.send(composed(), nothing)
    second = await transport.send(composed(link="https://other.example"), nothing)
    assert first == second
    assert names(tmp_path) == ["dlv_1@example.com.eml"]
    assert b"other.example" in content(first)


async def test_a_mail_is_there_when_it_may_go_and_not_before(tmp_path: Path) -> None:
    async def kept_back() -> None:
        assert not any(name.endswith(".eml") for name in names(tmp_path))
        raise ConnectionError("the claim is gone")

    with pytest.raises(ConnectionError, match="the claim is gone"):
        await FileTransport(tmp_path).send(composed(), kept_back)
    assert names(tmp_path) == []


async def test_a_folder_that_cannot_be_written_to_may_be_mended(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LaterError, match="cannot be written") as failed:
        await FileTransport(tmp_path / "file").send(composed(), nothing)
    assert failed.value.code == "mail_server_away"


async def test_letters_beyond_ascii_are_kept(tmp_path: Path) -> None:
    file = await FileTransport(tmp_path).send(composed(to=Recipient("jörg@bücher.de", "Jörg")), nothing)
    assert "To: Jörg <jörg@xn--bcher-kva.de>" in content(file).decode()


@pytest.mark.parametrize(
    "message_id", ["<../../etc/x@y>", "<.hidden@y>", "<a/b@y>", "<" + "x" * 400 + "@y>", "<>", "<ä@y>"]
)
def test_a_message_id_cannot_leave_the_folder(message_id: str) -> None:
    name = file_name(message_id)
    assert Path(name).name == name
    assert name.isascii()
    assert not name.startswith(".")
    assert len(name) < 200


def test_different_ids_are_different_files() -> None:
    ids = ["<a/b@y>", "<a_b@y>", "<a\\b@y>", "<.a_b@y>", "<" + "x" * 400 + "@y>", "<" + "x" * 401 + "@y>"]
    assert len({file_name(each) for each in ids}) == len(ids)


@pytest.mark.parametrize(
    ("given", "kind"),
    [({}, FileTransport), ({"email": "smtp"}, SmtpTransport), ({"email": "ses"}, SesTransport)],
)
def test_the_settings_choose(given: dict[str, Any], kind: type) -> None:
    transport = make_transport(Settings(notifier=NotifierSettings(**given)))
    assert isinstance(transport, kind)
    assert transport.where()


def test_files_are_in_the_data_directory_unless_said_otherwise(tmp_path: Path) -> None:
    for given, folder in (({}, tmp_path / "mail"), ({"mail_dir": tmp_path / "other"}, tmp_path / "other")):
        transport = make_transport(Settings(data_dir=tmp_path, notifier=NotifierSettings(**given)))  # type: ignore[arg-type]
        assert transport is not None
        assert transport.where() == f"e-mails are written to {folder}"


def test_no_transport_without_email_and_none_with_a_bad_sender() -> None:
    assert make_transport(Settings(notifier=NotifierSettings(email="off", sender="nobody"))) is None
    with pytest.raises(StartError):
        make_transport(Settings(notifier=NotifierSettings(sender="nobody")))

"""`studio token`: who it is for, and where he is told of runs."""

from pathlib import Path

import pytest

from kit.auth.principal import Principal
from kit.auth.tokens import Tokens
from kit.runtime.errors import StartError
from kit.settings import AuthSettings
from services.commands.token import token

SECRET = "a secret for tests that is long enough"


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STUDIO_AUTH_SECRET", SECRET)
    monkeypatch.setenv("STUDIO_DATA_DIR", str(tmp_path))


def test_an_address_and_a_name_are_in_the_token(capsys: pytest.CaptureFixture[str]) -> None:
    token("ada", tenant="test", email="ada@example.com", name="Ada")
    told = Tokens(AuthSettings(secret=SECRET)).check(capsys.readouterr().out.strip())
    assert told == Principal("test", "ada", "ada@example.com", "Ada")


@pytest.mark.parametrize(
    "wrong", [{"email": "ada"}, {"email": "a@b.example\nBcc: c@d.example"}, {"email": "a@b.example", "name": "a\x07b"}]
)
def test_what_cannot_be_used_is_refused(wrong: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StartError, match="--email or --name cannot be used"):
        token("ada", tenant="test", **{"email": "", "name": "", **wrong})
    assert capsys.readouterr().out == ""

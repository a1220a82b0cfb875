"""Whether the image's packages have wheels for arm64 is asked of the package index: `task image:wheels`, and CI."""

import importlib.util
import sys

import pytest

from tests.architecture.source import ROOT

NOBODYS = f"nobodys-package==1 --hash=sha256:{'0' * 64}\n"


def test_what_cannot_be_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked: offline, what is not in uv's cache cannot be had."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.syspath_prepend(str(ROOT / "docker"))
    spec = importlib.util.spec_from_file_location("wheels_check", ROOT / "docker" / "wheels_check.py")
    assert spec is not None
    assert spec.loader is not None
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    sys.modules.pop("runtime_lock", None)
    assert any("aarch64" in platform for platform in check.PLATFORMS)
    for platform in check.PLATFORMS:
        assert "nobodys-package" in check.without_wheel(NOBODYS, platform)
        assert check.without_wheel("", platform) == ""

"""The e-mails of the notifier in a real Chromium: everything can be read, in light and dark and on a narrow screen."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clients.conftest import missing
from tests.mail_samples.__main__ import VIEWS, write
from tests.mail_samples.chromium import Browser, browser

WRONG = {
    "faint": "<p style='color: #999; background-color: #fff'>faint</p>",
    "wide": "<p style='width: 900px'>wide</p>",
    "loaded": "<p>loads</p><img src='http://127.0.0.1:9/pixel.gif'>",
}
HEAD = "<!DOCTYPE html><meta name='viewport' content='width=device-width, initial-scale=1'>"


@pytest.fixture(scope="module")
async def window(chromium_or_none: str | None) -> AsyncIterator[Browser]:
    if chromium_or_none is None:
        missing("there is no Chromium")
    assert chromium_or_none
    async with browser(chromium_or_none) as opened:
        yield opened


async def test_nothing_is_faint_or_cut_or_loaded(window: Browser, tmp_path: Path) -> None:
    pages = write(tmp_path)
    assert len(pages) > 5
    for page in pages:
        for name, (width, scheme) in VIEWS.items():
            seen = await window.show(page, width=width, scheme=scheme)
            assert {problem: seen[problem] for problem in WRONG} == {problem: [] for problem in WRONG}, (
                f"{page.stem}, {name}"
            )


async def test_the_look_sees_what_is_wrong(window: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    for problem, body in WRONG.items():
        page.write_text(f"{HEAD}<body style='margin: 0'>{body}</body>")
        seen = await window.show(page, width=360, scheme="light")
        assert {name for name in WRONG if seen[name]} == {problem}

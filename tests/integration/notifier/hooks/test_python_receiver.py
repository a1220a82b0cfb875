"""The receiver in Python that docs/webhooks.md shows."""

import sys
from datetime import UTC, datetime, timedelta

from tests.integration.notifier.hooks.calling import hook
from tests.integration.notifier.hooks.example import FOLDER, check, listening


async def test_does_what_the_page_says() -> None:
    of = hook("", earlier_until=datetime.now(UTC) + timedelta(hours=1))
    async with listening(of.secret, sys.executable, FOLDER / "receiver.py", "--port", "0") as example:
        await check(of, example)

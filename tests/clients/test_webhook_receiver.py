"""The receiver in Node that docs/webhooks.md shows, with the reference library."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.clients.npm import NODE_FOLDER, Node
from tests.integration.notifier.hooks.calling import hook
from tests.integration.notifier.hooks.example import FOLDER, check, listening


async def test_does_what_the_page_says(node: Node, tmp_path: Path) -> None:
    program = tmp_path / "receiver.mjs"
    shutil.copy(FOLDER / "receiver.mjs", program)
    (tmp_path / "node_modules").symlink_to(NODE_FOLDER / "node_modules")  # as after `npm install`
    of = hook("", earlier_until=datetime.now(UTC) + timedelta(hours=1))
    async with listening(of.secret, node.binary, program, "0") as example:
        await check(of, example)

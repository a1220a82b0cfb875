"""Ending tasks."""

import asyncio

AGAIN_SECONDS = 1.0


async def cancelled(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks, and return when they have ended, however they did.

    It is said again until they listen: `asyncio.wait_for` of Python 3.11, with which nats-py waits, loses one that
    comes in the same moment as what it waits for.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)

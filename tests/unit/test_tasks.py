"""Tasks that do not listen at once, and those that are over, end all the same."""

import asyncio

from kit.tasks import cancelled


async def test_a_task_that_loses_its_first_cancellation_ends() -> None:
    lost = 0

    async def hard_of_hearing() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if lost:
                    raise
                lost += 1

    async def failing() -> None:
        raise ValueError

    async def over() -> None:
        return

    tasks = [asyncio.create_task(work()) for work in (hard_of_hearing, failing, over)]
    await asyncio.sleep(0)
    await cancelled(*tasks)
    assert lost == 1
    assert all(task.done() for task in tasks)


async def test_nothing_to_end_is_no_error() -> None:
    await cancelled()

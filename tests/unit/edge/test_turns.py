"""A crowd of requests does not stop the loop; one by itself does not wait."""

import asyncio

import pytest

from services.edge.turns import Turns


async def test_a_crowd_is_let_in_a_few_at_a_time_and_in_order() -> None:
    turns, entered, seen = Turns(3), list[int](), list[int]()

    async def request(number: int) -> None:
        await turns.wait()
        entered.append(number)

    requests = [asyncio.create_task(request(number)) for number in range(20)]
    while len(entered) < 20:
        await asyncio.sleep(0)  # what goes on beside them
        seen.append(len(entered))
    assert entered == list(range(20))
    assert all(later - earlier <= 3 for earlier, later in zip([0, *seen], seen, strict=False))
    await asyncio.gather(*requests)


async def test_one_by_itself_does_not_wait() -> None:
    turns = Turns(1)
    for _ in range(3):
        waiting = turns.wait()
        with pytest.raises(StopIteration):
            waiting.send(None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_who_gives_up_takes_nobodys_turn() -> None:
    turns, entered = Turns(1), list[int]()

    async def request(number: int) -> None:
        await turns.wait()
        entered.append(number)

    requests = [asyncio.create_task(request(number)) for number in range(4)]
    await asyncio.sleep(0)
    requests[1].cancel()
    await asyncio.gather(*requests, return_exceptions=True)
    assert entered == [0, 2, 3]

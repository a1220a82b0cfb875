"""How long a leaderboard is kept."""

import asyncio
from typing import Any

import pytest

from contracts.compare import GetLeaderboard
from contracts.message import Owner
from kit.settings import CompareSettings
from services.compare import board_store
from services.compare.board_handlers import BoardHandlers

ASKED = GetLeaderboard(owner=Owner(tenant="t", user="u"))


async def test_one_is_kept_from_when_it_is_there_however_long_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    read, begun, release = [], asyncio.Event(), asyncio.Event()

    async def votes(*_: Any, **__: Any) -> list[Any]:
        read.append(1)
        begun.set()
        await release.wait()
        return []

    async def answers(*_: Any, **__: Any) -> list[Any]:
        return []

    monkeypatch.setattr(board_store, "votes", votes)
    monkeypatch.setattr(board_store, "answers", answers)
    database: Any = None
    boards = BoardHandlers(database, CompareSettings(leaderboard_seconds=1000))
    first = asyncio.create_task(boards.on_get_leaderboard(ASKED))
    await begun.wait()
    (board,) = boards._boards.values()
    assert board.serves(now=float("inf")), "whoever asks now waits for the same"
    released = asyncio.get_running_loop().time()
    release.set()
    assert await first == await boards.on_get_leaderboard(ASKED)
    assert (len(read), board.serves(released + 999)) == (1, True)
    assert not board.serves(released + 2000)
    await boards.stop()


async def test_who_goes_away_does_not_take_the_computation_along(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def wait(*_: Any, **__: Any) -> list[Any]:
        begun.set()
        await release.wait()
        return []

    monkeypatch.setattr(board_store, "votes", wait)
    monkeypatch.setattr(board_store, "answers", wait)
    database: Any = None
    boards = BoardHandlers(database, CompareSettings())
    one, other = [asyncio.create_task(boards.on_get_leaderboard(ASKED)) for _ in range(2)]
    await begun.wait()
    one.cancel()
    release.set()
    assert (await other).votes == 0
    await boards.stop()

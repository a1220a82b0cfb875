"""What compare does when somebody asks for the leaderboard: it is computed at most once in a while for each tenant."""

import asyncio
import functools
from dataclasses import dataclass

from contracts.compare import GetLeaderboard, Leaderboard
from kit.clock import utc_now
from kit.db.database import Database
from kit.settings import CompareSettings
from services.compare import board_store
from services.compare.leaderboard import leaderboard


@dataclass(slots=True)
class _Board:
    """A leaderboard that is being computed, or was."""

    computing: asyncio.Task[Leaderboard]
    until: float = 0
    """The loop's time from which on it is too old; told when it is there, for it may take longer than it is kept."""

    def serves(self, now: float) -> bool:
        """Whether it is still computed, or good and not too old."""
        if not self.computing.done():
            return True
        return now < self.until and not self.computing.cancelled() and self.computing.exception() is None


class BoardHandlers:
    """Leaderboards, each kept for some seconds: who asks while one is computed waits for the same."""

    def __init__(self, database: Database, limits: CompareSettings) -> None:
        self._database, self._limits = database, limits
        self._boards: dict[tuple[str, bool], _Board] = {}

    async def on_get_leaderboard(self, query: GetLeaderboard) -> Leaderboard:
        """The models of the owner's tenant by its votes."""
        key = (query.owner.tenant, query.which == "blind")
        now = asyncio.get_running_loop().time()
        self._boards = {known: board for known, board in self._boards.items() if board.serves(now)}
        board = self._boards.get(key)
        if board is None:
            board = self._boards[key] = _Board(asyncio.create_task(self._compute(*key), name="leaderboard"))
            board.computing.add_done_callback(functools.partial(self._keep, board))
        return await asyncio.shield(board.computing)

    def _keep(self, board: _Board, computing: asyncio.Task[Leaderboard]) -> None:
        board.until = computing.get_loop().time() + self._limits.leaderboard_seconds

    async def start(self) -> None:
        """Nothing yet: boards are computed when somebody asks."""

    async def stop(self) -> None:
        """Compute no more."""
        computing = [board.computing for board in self._boards.values()]
        for task in computing:
            task.cancel()
        await asyncio.gather(*computing, return_exceptions=True)

    async def _compute(self, tenant: str, blind_only: bool) -> Leaderboard:
        days, rows = self._limits.leaderboard_days, self._limits.leaderboard_rows
        votes = await board_store.votes(self._database, tenant, blind_only=blind_only, days=days, rows=rows)
        answers = await board_store.answers(self._database, tenant, blind_only=blind_only, days=days, rows=rows)
        return await asyncio.to_thread(_board, votes, answers)


def _board(votes: board_store.Rows, answers: board_store.Rows) -> Leaderboard:
    return leaderboard(board_store.ballots_of(votes), board_store.answers_of(answers), utc_now())

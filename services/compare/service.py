"""The compare service: its parts, and how they hang together."""

from contracts import compare
from kit.orchestrate.handling import Served
from kit.orchestrate.service import OrchestratorService
from kit.runtime.service import Service
from kit.settings import Settings
from services.compare.board_handlers import BoardHandlers
from services.compare.comparison_handlers import ComparisonHandlers
from services.compare.dispatch import Dispatcher
from services.compare.endings import SERVICE, EndingHandlers
from services.compare.marks import run_marks
from services.compare.purge_store import PURGES, Old
from services.compare.run_handlers import RunHandlers
from services.compare.start_handlers import StartHandlers
from services.compare.starter import Starter
from services.compare.vote_handlers import VoteHandlers
from services.compare.watched import WatchedRuns


class CompareService(OrchestratorService):
    """Comparisons, their runs and their votes."""

    def __init__(self, settings: Settings) -> None:
        limits = settings.compare
        super().__init__(settings, SERVICE, limits)
        self._settings = limits
        self._marks = run_marks(self._database)
        self._endings = EndingHandlers(self._bus, self._database, self._blobs, self._reads, self._marks)
        self._dispatcher = Dispatcher(
            self._bus, self._database, self._blobs, self._marks, self._endings, limits.sweep_seconds
        )
        self._comparisons = ComparisonHandlers(self._bus, self._database, self._reads)
        self._votes = VoteHandlers(self._bus, self._database, self._comparisons, limits.sweep_seconds)
        self._boards = BoardHandlers(self._database, limits)
        self._watchdog = self._watchdog_of(WatchedRuns(self._database, self._endings))
        self._retention = self._retention_of(PURGES, Old(self._database, limits.retention_seconds).order)
        self._parts = (self._marks, self._dispatcher, self._votes, self._boards, self._watchdog, self._retention)
        self._register()

    def _register(self) -> None:
        starter = Starter(self._database, self._dispatcher, self._offers, self._settings)
        starting = StartHandlers(self._database, starter)
        runs = RunHandlers(self._database, self._comparisons, self._canceller, self._endings)
        short: Served = [
            (compare.StartComparison, starting.on_start_comparison),
            (compare.ExtendComparison, starting.on_extend_comparison),
            (compare.DeleteComparison, self._comparisons.on_delete_comparison),
            (compare.GetCompareRun, runs.on_get_compare_run),
            (compare.CancelCompareRun, runs.on_cancel_compare_run),
        ]
        long: Served = [
            (compare.ListCompareRuns, runs.on_list_compare_runs),
            (compare.GetComparison, self._comparisons.on_get_comparison),
            (compare.ListComparisons, self._comparisons.on_list_comparisons),
            (compare.VoteComparison, self._votes.on_vote_comparison),
            (compare.CancelLane, runs.on_cancel_lane),
            (compare.GetLeaderboard, self._boards.on_get_leaderboard),
            (compare.ReplayCompareRun, runs.on_replay_compare_run),
        ]
        self._serve(short, long, compare.__doc__ or "")
        self._hear_of_endings(self._endings.on_generation_ended)


def build(settings: Settings) -> Service:
    """The compare service, not started."""
    return CompareService(settings)

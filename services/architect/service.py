"""The architect service: its parts, and how they hang together."""

from contracts import architect
from contracts.architect_work import StartStep, TimeIsUp
from kit.bus.broker import of_work
from kit.orchestrate.handling import Served
from kit.orchestrate.service import OrchestratorService
from kit.runtime.service import Service
from kit.settings import Settings
from services.architect.assistants import Assistants
from services.architect.control_handlers import ControlHandlers
from services.architect.endings import SERVICE, EndingHandlers
from services.architect.onward import Onward
from services.architect.own_endings import OwnEndings
from services.architect.purge_store import PURGES, Old
from services.architect.run_handlers import RunHandlers
from services.architect.start_handlers import StartHandlers
from services.architect.starter import Starter
from services.architect.step_handlers import StepHandlers
from services.architect.sweep import Sweep
from services.architect.telling import Telling
from services.architect.timer_handlers import TimerHandlers
from services.architect.transitions import Transitions
from services.architect.try_handlers import TryHandlers
from services.architect.watched import WatchedRuns


class ArchitectService(OrchestratorService):
    """Assistants and their runs."""

    def __init__(self, settings: Settings) -> None:
        limits = settings.architect
        super().__init__(settings, SERVICE, limits)
        self._settings = limits
        bus, database = self._bus, self._database
        self._onward = Onward(
            bus,
            database,
            self._blobs,
            Telling(bus, database),
            OwnEndings(bus, database, self._blobs),
            self._canceller,
        )
        self._transitions = Transitions(database, limits.max_parallel_steps)
        self._endings = EndingHandlers(bus, database, self._blobs, self._reads, self._transitions, self._onward, limits)
        self._timers = TimerHandlers(database, self._transitions, self._onward)
        self._steps = StepHandlers(database, self._offers, self._transitions, self._onward, limits)
        self._assistants = Assistants(database, bus, self._offers, limits)
        self._parts = (
            self._assistants,
            Sweep(self._onward, self._timers, self._steps, limits.sweep_seconds),
            self._watchdog_of(WatchedRuns(database, self._endings)),
            self._retention_of(PURGES, Old(database, limits.retention_seconds).order),
        )
        self._register()

    def _register(self) -> None:
        database, limits = self._database, self._settings
        starting = StartHandlers(database, Starter(database, self._onward, limits.max_parallel_steps), limits)
        runs = RunHandlers(database, self._reads)
        control = ControlHandlers(self._transitions, self._onward, self._endings, runs)
        short: Served = [
            *self._assistants.short,
            (architect.StartAssistantRun, starting.on_start_assistant_run),
            (architect.ForkAssistantRun, starting.on_fork_assistant_run),
            (architect.DeleteAssistantRun, runs.on_delete_assistant_run),
        ]
        long: Served = [
            *self._assistants.long,
            (architect.TryAssistant, TryHandlers(database, self._offers, limits).on_try_assistant),
            (architect.GetAssistantRun, runs.on_get_assistant_run),
            (architect.ListAssistantRuns, runs.on_list_assistant_runs),
            (architect.DecideApproval, control.on_decide_approval),
            (architect.CancelStep, control.on_cancel_step),
            (architect.GetArchitectRun, runs.on_get_architect_run),
            (architect.ListArchitectRuns, runs.on_list_architect_runs),
            (architect.CancelArchitectRun, control.on_cancel_architect_run),
            (architect.ReplayArchitectRun, runs.on_replay_architect_run),
        ]
        self._serve(short, long, architect.__doc__ or "")
        self._hear_of_endings(self._endings.on_generation_ended)
        for order, handler in ((StartStep, self._steps.on_start_step), (TimeIsUp, self._timers.on_time_is_up)):
            self._broker.subscriber(order.SUBJECT, **of_work(order.SUBJECT, limits.handlers))(handler)


def build(settings: Settings) -> Service:
    """The architect service, not started."""
    return ArchitectService(settings)

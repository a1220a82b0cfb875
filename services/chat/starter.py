"""What every request that starts a run has in common: which model, and the way onto the bus."""

import logging
from dataclasses import dataclass

from contracts.chat import RunStarted
from kit.orchestrate import wording
from kit.orchestrate.offers import Offers
from kit.orchestrate.window import Window, window_of
from kit.settings import ChatSettings
from services.chat import checks
from services.chat.beginning import Starting
from services.chat.dispatch import Dispatcher
from services.chat.models import AnyRun

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """The model to ask, and what it takes."""

    model: str
    window: Window


class Starter:
    """Chooses the model of a run, and puts what is committed on the bus."""

    def __init__(self, dispatcher: Dispatcher, offers: Offers, limits: ChatSettings) -> None:
        self._dispatcher, self._offers, self._limits = dispatcher, offers, limits

    async def choose(self, command: Starting) -> Choice:
        """The model to ask. Refused if it, a fallback or the parameters are not possible."""
        wording.check_parameters(command.parameters, self._limits.max_parameters_characters)
        default = self._limits.default_model
        offered = await self._offers.ids(command.model or default, *command.fallbacks)
        model = checks.choose_model(command.model, default, offered)
        checks.check_fallbacks(command.fallbacks, offered)
        return self.choice(model)

    def choice(self, model: str) -> Choice:
        """A model as it was last heard of."""
        return Choice(model, window_of(self._offers.card(model)))

    async def start(self, run: AnyRun, command: Starting) -> RunStarted:
        """Put a committed run on the bus; if that fails, the sweep goes on."""
        waits = run.status == "queued"
        if (run.announced_at if waits else run.dispatched_at) is None and run.ended_at is None:
            try:
                await self._dispatcher.dispatch(run)
            except Exception as error:
                log.warning("run %s could not be dispatched yet: %r", run.id, error)
        return RunStarted(
            run_id=run.id,
            conversation_id=run.conversation_id,
            message_id=run.message_id,
            replayed=run.id != command.run_id,
        )

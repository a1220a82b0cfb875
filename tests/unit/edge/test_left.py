"""Runs that were left are stopped after their time, at once at the end, and never twice."""

import asyncio
from typing import Any

import pytest

from contracts.message import Owner
from kit.bus.rpc import Unavailable
from kit.refusal import Refused
from services.edge import left
from services.edge.left import LeftRuns
from tests.fixtures.polling import until

OWNER = Owner(tenant="t", user="u")


class Chat:
    """Is asked to cancel; answers with the given errors first."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.asked, self.stopped = list(errors), 0, list[str]()

    async def ask(self, command: Any) -> None:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        assert command.owner == OWNER
        self.stopped.append(command.run_id)


async def test_it_waits_for_its_time_and_no_longer() -> None:
    chat = Chat()
    patient, hasty = LeftRuns(chat.ask, 600), LeftRuns(chat.ask, 0)
    patient.leave(OWNER, "chat_patient")
    hasty.leave(OWNER, "chat_hasty")
    await until(lambda: _has(chat, 1))
    assert chat.stopped == ["chat_hasty"]
    await patient.close()
    assert chat.stopped == ["chat_hasty", "chat_patient"], "at the end it is stopped at once"
    await hasty.close()


async def test_what_is_left_after_the_end_began_is_stopped_at_once() -> None:
    chat = Chat()
    runs = LeftRuns(chat.ask, 600)
    await runs.close()
    runs.leave(OWNER, "chat_1")
    await until(lambda: _has(chat, 1))


@pytest.mark.parametrize("error", [Unavailable("away"), Refused("unavailable", "away")], ids=["silent", "refused"])
async def test_chat_that_is_away_is_asked_again(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(left, "PAUSE_SECONDS", 0)
    chat = Chat(error, error)
    runs = LeftRuns(chat.ask, 0)
    runs.leave(OWNER, "chat_1")
    await until(lambda: _has(chat, 1))
    assert chat.asked == 3
    await runs.close()


async def test_what_never_began_is_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    chat = Chat(Refused("unknown_run", "none"))
    runs = LeftRuns(chat.ask, 0)
    runs.leave(OWNER, "chat_1")
    await runs.close()
    assert (chat.asked, chat.stopped, caplog.text) == (1, [], "")


async def test_who_cannot_be_reached_at_the_end_does_not_hold_it_up(caplog: pytest.LogCaptureFixture) -> None:
    chat = Chat(*[Unavailable("away")] * 9)
    runs = LeftRuns(chat.ask, 600)
    runs.leave(OWNER, "chat_1")
    await asyncio.sleep(0)
    await runs.close()
    assert chat.asked == 1
    assert "chat_1" in caplog.text


async def _has(chat: Chat, count: int) -> bool:
    return len(chat.stopped) == count

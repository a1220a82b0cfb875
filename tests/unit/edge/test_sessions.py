"""Whom the notifier is told of: everybody with an address, once in a while, and nobody is kept waiting for it."""

import asyncio

import pytest

from contracts.session import SessionBegunFact
from kit.auth.principal import Principal
from services.edge import sessions as module
from services.edge.sessions import Sessions

ADA = Principal("test", "ada", "ada@example.com", "Ada")


class Bus:
    """Where facts go."""

    def __init__(self) -> None:
        self.facts: list[SessionBegunFact] = []
        self.error: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def publish(self, fact: SessionBegunFact) -> None:
        await self.open.wait()
        if self.error is not None:
            raise self.error
        self.facts.append(fact)


async def met(sessions: Sessions, principal: Principal) -> None:
    """What the guard does."""
    if not sessions.knows(principal):
        await sessions.begin(principal)


async def known(sessions: Sessions) -> None:
    """Requests that come until one of them has told."""
    async with asyncio.timeout(5):
        while not sessions.knows(ADA):
            await met(sessions, ADA)
            await asyncio.sleep(0)


async def test_a_caller_is_told_of_once() -> None:
    bus = Bus()
    sessions = Sessions(bus.publish, 60)
    for _ in range(3):
        await met(sessions, Principal("test", "ada", "ada@example.com", "Ada"))
    (fact,) = bus.facts
    assert (fact.owner.tenant, fact.owner.user) == (ADA.tenant_token, ADA.user_token)
    assert (fact.email, fact.name) == ("ada@example.com", "Ada")


async def test_a_caller_without_an_address_is_not_told_of() -> None:
    bus = Bus()
    await met(Sessions(bus.publish, 60), Principal("test", "ada", None, "Ada"))
    assert bus.facts == []


async def test_another_address_or_name_is_told() -> None:
    bus = Bus()
    sessions = Sessions(bus.publish, 60)
    others = [ADA, Principal("test", "ada", "a@example.com", "Ada"), Principal("test", "ada", "a@example.com")]
    for principal in [*others, *others]:
        await met(sessions, principal)
    assert [(fact.email, fact.name) for fact in bus.facts] == [(other.email, other.name) for other in others]


async def test_who_goes_on_calling_is_told_of_again() -> None:
    bus = Bus()
    sessions = Sessions(bus.publish, 0)
    await met(sessions, ADA)
    await met(sessions, ADA)
    assert len(bus.facts) == 2


async def test_a_request_waits_until_it_is_stored_and_those_that_come_with_it_share_it() -> None:
    bus = Bus()
    bus.open.clear()
    sessions = Sessions(bus.publish, 60)
    requests = [asyncio.create_task(met(sessions, ADA)) for _ in range(3)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(request.done() for request in requests)
    bus.open.set()
    await asyncio.gather(*requests)
    assert len(bus.facts) == 1


async def test_a_bus_that_is_away_keeps_one_request_for_a_moment_and_the_next_ones_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
    bus = Bus()
    bus.open.clear()
    sessions = Sessions(bus.publish, 60)
    await met(sessions, ADA)
    assert not sessions.knows(ADA)
    monkeypatch.setattr(module, "WAIT_SECONDS", 60)
    await met(sessions, ADA)  # it would wait for a minute
    assert bus.facts == []
    bus.open.set()
    await known(sessions)
    assert len(bus.facts) == 1


@pytest.mark.parametrize("error", [TimeoutError(), RuntimeError("odd"), OSError()])
async def test_what_fails_refuses_nobody_and_is_tried_again(error: Exception) -> None:
    bus = Bus()
    bus.error = error
    sessions = Sessions(bus.publish, 60)
    await met(sessions, ADA)
    bus.error = None
    await known(sessions)
    assert len(bus.facts) == 1


async def test_a_client_that_goes_takes_nothing_with_it() -> None:
    bus = Bus()
    bus.open.clear()
    sessions = Sessions(bus.publish, 60)
    gone, stays = asyncio.create_task(met(sessions, ADA)), asyncio.create_task(met(sessions, ADA))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    bus.open.set()
    await stays
    assert len(bus.facts) == 1


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    bus = Bus()
    sessions = Sessions(bus.publish, 60)
    people = [Principal("test", name, f"{name}@example.com") for name in ("a", "b", "c")]
    for principal in people:
        await met(sessions, principal)
    assert [sessions.knows(principal) for principal in people] == [False, True, True]

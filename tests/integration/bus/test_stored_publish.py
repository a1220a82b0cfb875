"""Publishing and waiting until it is stored: through answers that are none yet, not for ever, and not in a hurry."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from contracts.chat_facts import ConversationCreatedFact
from contracts.message import Owner
from kit.bus import api as bus_api
from kit.bus.api import JetStreamError, last_message, publish_stored
from kit.bus.connection import Bus
from kit.bus.publish import publish
from kit.bus.streams import declare_streams
from kit.runtime.embedded_nats import EmbeddedNats
from tests.fixtures.bus import api, bus_to
from tests.fixtures.polling import until

STORED = {"stream": "X", "seq": 7}


def error(code: int, err_code: int) -> dict[str, Any]:
    """As JetStream refuses."""
    return {"error": {"code": code, "err_code": err_code, "description": "no"}}


@pytest.fixture
async def bus(own_nats: EmbeddedNats) -> AsyncIterator[Bus]:
    """Without any stream."""
    async with bus_to(own_nats.url) as connected:
        yield connected


async def answering(bus: Bus, subject: str, *answers: dict[str, Any]) -> list[bytes]:
    """Stands for a stream's leader that gives these answers, one to each try; returns what it was sent."""
    left, heard = list(answers), list[bytes]()

    async def answer(message: Any) -> None:
        heard.append(message.data)
        await message.respond(json.dumps(left.pop(0)).encode())

    await bus.client.subscribe(subject, cb=answer)
    await bus.client.flush()
    return heard


async def test_what_is_still_in_process_or_has_no_leader_is_published_again(bus: Bus) -> None:
    heard = await answering(bus, "s.x", error(400, 10158), error(400, 10164), error(503, 10008), STORED)
    assert await publish_stored(bus.client, "s.x", b"word") == 7
    assert heard == [b"word"] * 4


async def test_a_refusal_is_told_with_its_code_and_not_tried_again(bus: Bus) -> None:
    heard = await answering(bus, "s.x", error(400, 10071), STORED)
    with pytest.raises(JetStreamError) as refused:
        await publish_stored(bus.client, "s.x", b"word")
    assert refused.value.code == 10071
    assert len(heard) == 1


def counting(bus: Bus, subject: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[float]]:
    """When a subject was published to."""
    moments, sent = [], bus.client.publish

    async def counted(to: str, *arguments: Any, **options: Any) -> None:
        if to == subject:
            moments.append(asyncio.get_running_loop().time())
        await sent(to, *arguments, **options)

    monkeypatch.setattr(bus.client, "publish", counted)
    return lambda: moments


async def waited(moments: Callable[[], list[float]]) -> None:
    """Some tries were made, and none in a hurry."""

    async def tried() -> bool:
        return len(moments()) >= 5

    await until(tried)
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments())]
    assert min(pauses) > bus_api.RETRY_PAUSE_SECONDS / 2


async def test_while_no_stream_answers_tries_are_few_and_then_it_is_stored(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a cluster between two leaders: "no responders", at once."""
    moments = counting(bus, "evt.test.thing.happened", monkeypatch)
    publishing = asyncio.create_task(publish_stored(bus.client, "evt.test.thing.happened", b"{}", timeout=30))
    await waited(moments)
    assert not publishing.done()
    await declare_streams(bus.client, 1)
    assert await publishing == 1


async def test_while_no_stream_answers_reads_are_few_and_then_there_is_an_answer(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = counting(bus, "$JS.API.DIRECT.GET.RUNS", monkeypatch)
    reading = asyncio.create_task(last_message(bus, "RUNS", "log.t.u.run.main", timeout=30))
    await waited(moments)
    assert not reading.done()
    await declare_streams(bus.client, 1)
    assert await reading is None


def a_stored_message(replicas: int) -> Msg:
    """As the leader, or any replica, tells of it."""
    if replicas > 1:
        return Msg(None, data=json.dumps({"message": {"seq": 7, "subject": "log.x"}}).encode())  # type: ignore[arg-type]
    return Msg(None, headers={"Nats-Sequence": "7", "Nats-Subject": "log.x"})  # type: ignore[arg-type]


def no_leader(replicas: int) -> Msg:
    """As a server says that nobody leads the stream at the moment."""
    if replicas > 1:
        return Msg(None, data=json.dumps(error(503, 10008)).encode())  # type: ignore[arg-type]
    return Msg(None, headers={"Status": "503", "Description": "not yet"})  # type: ignore[arg-type]


@pytest.mark.parametrize("replicas", [1, 3])
async def test_a_stream_that_has_no_leader_is_asked_again(
    own_nats: EmbeddedNats, replicas: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bus_to(own_nats.url, replicas=replicas) as bus:
        answers: list[Msg | Exception] = [
            no_leader(replicas), NoRespondersError(), NatsTimeoutError(), a_stored_message(replicas),
        ]  # fmt: skip

        async def request(*_: Any, **__: Any) -> Msg:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(bus.client, "request", request)
        found = await last_message(bus, "RUNS", "log.x")
    assert found is not None
    assert found.sequence == 7


@pytest.mark.parametrize("replicas", [1, 3])
async def test_a_question_that_nobody_answers_is_asked_again_soon(
    own_nats: EmbeddedNats, replicas: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replicas without a leader drop what only the leader may answer: waiting for that answer, one would miss the
    next leader for as long.
    """
    monkeypatch.setattr(bus_api, "READ_TRY_SECONDS", 0.2)
    monkeypatch.setattr(bus_api, "PUBLISH_TRY_SECONDS", 0.2)
    async with bus_to(own_nats.url, replicas=replicas) as bus:
        await declare_streams(bus.client, 1)
        publish, drops = bus.client.publish, 2

        async def dropped(subject: str, *arguments: Any, **options: Any) -> None:
            nonlocal drops
            if drops and subject.startswith(("$JS.API.", "log.")):
                drops -= 1
            else:
                await publish(subject, *arguments, **options)

        monkeypatch.setattr(bus.client, "publish", dropped)
        assert await last_message(bus, "RUNS", "log.x", timeout=30) is None
        drops = 1
        assert await publish_stored(bus.client, "log.x", b"{}", timeout=30) == 1


async def test_nobody_waits_for_ever(bus: Bus) -> None:
    with pytest.raises(TimeoutError):
        await publish_stored(bus.client, "evt.test.thing.happened", b"{}", timeout=0.3)
    with pytest.raises(TimeoutError):
        await last_message(bus, "RUNS", "log.t.u.run.main", timeout=0.3)


async def test_a_fact_that_is_told_twice_is_stored_once(bus: Bus) -> None:
    await declare_streams(bus.client, 1)
    fact = ConversationCreatedFact(owner=Owner(tenant="t", user="u"), conversation_id="conv_1")
    assert await publish(bus, fact) == await publish(bus, fact)
    assert (await api(bus.client, "STREAM.INFO.EVENTS"))["state"]["messages"] == 1

"""The bus that only keys open: each user, let in with its own key, is refused everything that is another's."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.bus.blobs import Blobs
from kit.bus.broker import make_broker
from kit.bus.connection import Bus, BusError
from kit.bus.streams import consumers_of, declare_streams, ready_streams
from kit.settings import BusSettings
from services.permissions import permissions
from tests.fixtures.bus import asked
from tests.fixtures.polling import until
from tests.fixtures.refusals import may_say, settled, told
from tests.fixtures.secure_bus import SecureBus
from tests.integration.bus.permission_table import MAY_PUBLISH, MAY_SUBSCRIBE, SERVICES, USERS


@pytest.fixture(scope="module")
async def bus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecureBus]:
    server = SecureBus(tmp_path_factory.mktemp("bus"))
    await server.start()
    try:
        async with declaring(server) as client:
            await declare_streams(client.client, 1)
            await Blobs(client, 1).declare()
        yield server
    finally:
        await server.stop()


@contextlib.asynccontextmanager
async def declaring(server: SecureBus) -> AsyncIterator[Bus]:
    bus = Bus(server.bus_settings("declare"), "declare")
    await bus.connect()
    try:
        yield bus
    finally:
        await bus.close()


@pytest.mark.parametrize("user", USERS)
async def test_a_user_says_what_is_its_own_and_nothing_else(bus: SecureBus, user: str) -> None:
    async with told(bus.bus_settings(user), user) as (client, refused):
        may = {subject for subject, allowed in MAY_PUBLISH.items() if user in allowed}
        assert await may_say(client, refused, MAY_PUBLISH) == may


@pytest.mark.parametrize("user", USERS)
async def test_a_user_hears_what_is_for_it_and_nothing_else(bus: SecureBus, user: str) -> None:
    async with told(bus.bus_settings(user), user) as (client, refused):
        for subject, allowed in MAY_SUBSCRIBE.items():
            del refused[:]
            subscription = await client.subscribe(subject)
            found = await settled(client, refused)
            assert bool(found) == (user not in allowed), (user, subject, found)
            await subscription.unsubscribe()


@pytest.mark.parametrize("service", [name for name in SERVICES if consumers_of(name)])
async def test_a_service_that_may_not_declare_looks_for_what_is_its_own(bus: SecureBus, service: str) -> None:
    async with bus.client(service) as client:
        await ready_streams(client, bus.bus_settings(service), service)


async def test_a_service_may_answer_a_request_once_and_not_say_anything_else_there(bus: SecureBus) -> None:
    async with told(bus.bus_settings("chat"), "chat") as (chat, refused), bus.client("edge") as edge:
        asked_for = await chat.subscribe("rpc.chat.get_run", queue="chat")
        assert not await settled(chat, refused)
        asking = asyncio.create_task(edge.request("rpc.chat.get_run", b"?", timeout=30))
        request = await asked_for.next_msg(timeout=30)
        await request.respond(b"!")
        assert (await asking).data == b"!"
        del refused[:]
        await request.respond(b"!")
        await chat.publish(f"{request.reply}.more", b"!")
        assert len(await settled(chat, refused)) == 2


async def test_long_texts_go_from_one_to_the_other_without_a_consumer(bus: SecureBus) -> None:
    text = bytes(range(256)) * 4 * 1024  # several chunks
    for user, other in (("edge", "chat"), ("inference", "notifier")):
        async with _bus(bus, user) as one, _bus(bus, other) as two:
            reference = await Blobs(one, 1).put(f"text.{user}", text)
            assert await Blobs(two, 1).take(reference) == text
            info = await asked(two.client, "STREAM.INFO.OBJ_blobs")
            assert info["state"]["consumer_count"] == 0


@contextlib.asynccontextmanager
async def _bus(server: SecureBus, user: str) -> AsyncIterator[Bus]:
    bus = Bus(server.bus_settings(user), user)
    await bus.connect()
    try:
        yield bus
    finally:
        await bus.close()


async def test_an_analyst_hears_facts_and_can_say_nothing(bus: SecureBus) -> None:
    assert permissions()["analyst"].publish == ()
    async with bus.client("chat") as chat, told(bus.bus_settings("analyst"), "analyst") as (analyst, refused):
        heard = await analyst.subscribe("evt.>")
        assert not await settled(analyst, refused)
        await chat.request("evt.chat.conversation.created", b'{"told": true}', timeout=30)
        assert (await heard.next_msg(timeout=30)).data == b'{"told": true}'


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"nkey_file": None}, "STUDIO_NATS_NKEY_FILE"),
        ({"ca_file": None}, "certificate verify failed"),
        ({"nkey_file": Path("/no/such/seed")}, "STUDIO_NATS_NKEY_FILE: /no/such/seed cannot be read"),
        ({"ca_file": Path(__file__)}, "STUDIO_NATS_CA_FILE: .* holds no certificates"),
    ],
)
async def test_who_is_not_let_in_is_told_why(
    bus: SecureBus, change: dict[str, object], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kit.bus.connection.WAIT_FOR_SERVER_SECONDS", 1.0)
    settings = BusSettings.model_validate(bus.bus_settings("edge").model_dump() | change)
    with pytest.raises(BusError, match=why):
        await Bus(settings, "stranger").connect()


async def test_key_and_authority_may_be_given_as_they_are(bus: SecureBus) -> None:
    """Where secrets come as variables, and not as files."""
    filed = bus.bus_settings("edge")
    assert filed.nkey_file
    assert filed.ca_file
    given = {"nkey": filed.nkey_file.read_text(), "ca": filed.ca_file.read_text(), "nkey_file": None, "ca_file": None}
    plain = BusSettings.model_validate(filed.model_dump() | given)
    assert given["nkey"] not in repr(plain)
    direct = Bus(plain, "edge")
    await direct.connect()
    assert (await asked(direct.client, "STREAM.INFO.RUNS"))["config"]["name"] == "RUNS"
    await direct.close()
    broker = make_broker(plain, "edge", direct)
    async with broker:
        assert await broker.ping(timeout=5)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"nkey": "SUnonsense", "nkey_file": None}, "STUDIO_NATS_NKEY: this is not the seed of an NKey"),
        ({"ca": "nonsense", "ca_file": None}, "STUDIO_NATS_CA holds no certificates"),
        ({"nkey": "SU"}, "both STUDIO_NATS_NKEY and STUDIO_NATS_NKEY_FILE are set"),
        ({"ca": "PEM"}, "both STUDIO_NATS_CA and STUDIO_NATS_CA_FILE are set"),
    ],
)
async def test_what_cannot_be_a_key_or_an_authority_is_refused_before_anybody_is_called(
    bus: SecureBus, change: dict[str, object], why: str
) -> None:
    settings = BusSettings.model_validate(bus.bus_settings("edge").model_dump() | change)
    with pytest.raises(BusError, match=why):
        await Bus(settings, "stranger").connect()


async def test_another_installations_key_does_not_open_it(
    bus: SecureBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kit.bus.connection.WAIT_FOR_SERVER_SECONDS", 1.0)
    other = SecureBus(tmp_path)
    settings = bus.bus_settings("edge").model_copy(update={"nkey_file": other.bus_settings("edge").nkey_file})
    with pytest.raises(BusError, match="STUDIO_NATS_NKEY_FILE"):
        await Bus(settings, "stranger").connect()


async def test_a_service_never_speaks_in_the_clear(bus: SecureBus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody in between who says that the server has no TLS hears not a word."""
    monkeypatch.setattr("kit.bus.connection.WAIT_FOR_SERVER_SECONDS", 0.5)
    heard = b""

    async def pretend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        writer.write(b'INFO {"server_id":"x","version":"2.15.1","max_payload":1048576}\r\n')
        with contextlib.suppress(OSError):
            heard += await reader.read(100_000)
        writer.close()

    listener = await asyncio.start_server(pretend, "127.0.0.1", 0)
    url = f"tls://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    with pytest.raises(BusError):
        await Bus(bus.bus_settings("edge").model_copy(update={"url": (url,)}), "edge").connect()
    listener.close()
    assert heard.startswith(b"\x16\x03")  # a TLS greeting
    assert b"CONNECT" not in heard


async def test_a_refusal_is_in_the_log(bus: SecureBus, caplog: pytest.LogCaptureFixture) -> None:
    async with bus.client("notifier") as client:
        await client.publish("rpc.chat.send_message", b"{}")

        async def look() -> bool:
            return "NATS does not let us" in caplog.text

        await until(look)
    assert 'NATS does not let us: nats: permissions violation for publish to "rpc.chat.send_message"' in caplog.text

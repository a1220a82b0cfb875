"""What was given up is looked at, put back, and dropped, with the command that an operator has."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from kit.bus.broker import make_broker, of_facts
from kit.bus.connection import Bus
from kit.bus.redelivery import DeadLetterError
from kit.bus.streams import declare_streams
from kit.runtime.embedded_nats import EmbeddedNats
from kit.runtime.errors import StartError
from kit.settings import BusSettings
from services.__main__ import app
from tests.fixtures.bus import api, bus_to
from tests.fixtures.polling import until


class Shop:
    """Subscribers to facts; one of them cannot bear some until it is mended."""

    def __init__(self, nats: EmbeddedNats, bus: Bus) -> None:
        self.mended = False
        self.sold: list[str] = []
        self.heard: list[str] = []
        self._url, self._client = nats.url, bus.client
        self._broker = make_broker(BusSettings(url=(nats.url,)), "shop", bus, transient=())

        async def sell(body: dict[str, Any]) -> None:
            if not self.mended:
                raise DeadLetterError(f"cannot sell {body['what']}\nnow")
            self.sold.append(body["what"])

        async def hear(body: dict[str, Any]) -> None:
            self.heard.append(body["what"])

        self._broker.subscriber("evt.shop.*.sold", **of_facts("shop", "sells", 1))(sell)
        self._broker.subscriber("evt.shop.*.sold", **of_facts("shop", "hears", 1))(hear)

    async def open(self) -> None:
        await self._broker.start()

    async def close(self) -> None:
        await self._broker.stop()

    async def happened(self, *things: str) -> None:
        """Facts that are given up."""
        for what in things:
            headers = {"Nats-Msg-Id": what, "Studio-Test": "kept"}
            await self._client.jetstream().publish(
                f"evt.shop.{what}.sold", f'{{"what": "{what}"}}'.encode(), headers=headers
            )
        await self.dead(len(things))

    async def dead(self, count: int) -> None:
        """Wait until so many are among the dead."""

        async def counted() -> bool:
            info = await api(self._client, "STREAM.INFO.DEAD")
            return bool(info["state"]["messages"] == count)

        await until(counted)

    async def told(self, *words: str) -> Result:
        """The command, in a process' stead."""
        environment = {"STUDIO_NATS_URL": self._url}
        return await asyncio.to_thread(CliRunner().invoke, app, ["dead", *words], env=environment)


@pytest.fixture
async def shop(own_nats: EmbeddedNats) -> AsyncIterator[Shop]:
    logging.getLogger("kit.bus.redelivery").setLevel(logging.CRITICAL)
    async with bus_to(own_nats.url) as bus:
        await declare_streams(bus.client, 1)
        shop = Shop(own_nats, bus)
        await shop.open()
        yield shop
        await shop.close()


async def test_what_was_given_up_is_told_and_put_back_once_it_can_be_handled(shop: Shop) -> None:
    await shop.happened("apple", "pear")
    listed = await shop.told("list")
    assert [line.split("\t")[3:] for line in listed.stdout.splitlines()] == [
        ["evt.shop.apple.sold", "DeadLetterError('cannot sell apple\\nnow')"],
        ["evt.shop.pear.sold", "DeadLetterError('cannot sell pear\\nnow')"],
    ]
    assert listed.stderr == "2 messages were given up\n"
    shown = (await shop.told("show", "2")).stdout
    assert shown.startswith("evt.shop.pear.sold\n")
    assert "Studio-Test: kept\n" in shown
    assert shown.endswith('\n\n{"what": "pear"}\n')

    assert (await shop.told("retry", "1")).stdout == "1 is on its way again: evt.shop.apple.sold\n"

    async def given_up_again() -> bool:
        return "\n" not in (await shop.told("list", "--subject", "evt.shop.apple.*")).stdout.strip()

    await shop.dead(2)  # nothing was mended
    assert await given_up_again()
    shop.mended = True
    put_back = await shop.told("retry", "--all")
    assert len(put_back.stdout.splitlines()) == 2
    await shop.dead(0)

    async def sold() -> bool:
        return sorted(shop.sold) == ["apple", "pear"]

    await until(sold)
    assert (await shop.told("list")).stderr == "0 messages were given up\n"

    async def heard() -> bool:
        return sorted(shop.heard) == ["apple", "apple", "apple", "pear", "pear"]

    await until(heard)  # who had handled them before hears of them again


async def test_what_is_dropped_is_gone_and_nothing_else(shop: Shop) -> None:
    await shop.happened("apple", "pear", "plum")
    assert (await shop.told("drop", "1")).stdout == "1 is gone: evt.shop.apple.sold\n"
    assert (
        await shop.told("drop", "--all", "--subject", "evt.shop.plum.>")
    ).stdout == "3 is gone: evt.shop.plum.sold\n"
    assert (await shop.told("list")).stdout.count("\n") == 1
    assert shop.sold == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("retry",), "say either the numbers, or --all"),
        (("drop", "1", "--all"), "say either the numbers, or --all"),
        (("drop", "1", "--subject", "evt.>"), "say either the numbers, or --all"),
        (("drop", "1", "9"), "there is no message 9"),
        (("show", "9"), "there is no message 9"),
    ],
)
async def test_a_slip_is_refused_and_nothing_is_done(shop: Shop, words: tuple[str, ...], problem: str) -> None:
    await shop.happened("apple")
    result = await shop.told(*words)
    assert isinstance(result.exception, StartError)
    assert problem in str(result.exception)
    await shop.dead(1)


async def test_what_no_stream_takes_stays(shop: Shop, own_nats: EmbeddedNats) -> None:
    async with bus_to(own_nats.url) as bus:
        await bus.client.jetstream().publish("dead.rpc.chat.send_message", b"{}")
    result = await shop.told("retry", "1")
    assert "no stream keeps what is published to rpc.chat.send_message" in str(result.exception)
    await shop.dead(1)


async def test_a_server_without_our_streams_is_said(own_nats: EmbeddedNats) -> None:
    environment = {"STUDIO_NATS_URL": own_nats.url}
    result = await asyncio.to_thread(CliRunner().invoke, app, ["dead", "list"], env=environment)
    assert "NATS refused: stream not found" in str(result.exception)

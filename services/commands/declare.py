"""`declare`: make the streams of the bus, for services that may not."""

import asyncio

from services.commands.settings import load_settings


def declare() -> None:
    """Make the streams and consumers of the bus, or bring them up to date. May run at any time, any number of times."""
    settings = load_settings().nats

    async def go() -> None:
        from kit.bus.blobs import Blobs
        from kit.bus.connection import Bus
        from kit.bus.streams import declare_streams, until_jetstream_answers

        bus = Bus(settings, "declare")
        await bus.connect()
        try:
            await until_jetstream_answers(bus.client)
            await Blobs(bus, settings.replicas).declare()
            await declare_streams(bus.client, settings.replicas)  # last: who waits, waits for its consumers
        finally:
            await bus.close()

    asyncio.run(go())


command = declare

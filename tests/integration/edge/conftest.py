"""An edge whose other services the tests are."""

from collections.abc import AsyncIterator

import pytest

from kit.runtime.embedded_nats import EmbeddedNats
from tests.fixtures.own_edge import OwnEdge, own_edge


@pytest.fixture(scope="package")
async def shared_edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OwnEdge]:
    """One for all tests here: they use runs of their own."""
    nats = EmbeddedNats(tmp_path_factory.mktemp("edge") / "nats")
    await nats.start()
    try:
        async with own_edge(nats.url) as running:
            await running.serve("chat")
            await running.serve("compare")
            await running.serve("architect")
            await running.serve("notifier")
            yield running
    finally:
        await nats.stop()


@pytest.fixture
def edge(shared_edge: OwnEdge) -> OwnEdge:
    """The same, and nobody says anything yet."""
    shared_edge.answers.clear()
    shared_edge.asked.clear()
    return shared_edge

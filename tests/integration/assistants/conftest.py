"""The stack that all tests share, with one edge more."""

import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest

from kit.runtime.ports import free_port
from tests.assistants.model import HashModel
from tests.fixtures.polling import until
from tests.fixtures.stack import Process, Stack


@pytest.fixture
def model(shared_hash_model: HashModel) -> HashModel:
    """What the models `hash-…` of the stack are."""
    return shared_hash_model


@pytest.fixture(scope="package")
async def other_edge(stack: Stack) -> AsyncIterator[str]:
    """The address of an edge beside that of the stack."""
    port = free_port()
    environment = {**stack.environment, "STUDIO_EDGE_PORT": str(port)}
    process = Process("edge", environment, stack.folder / "edge-2.log")
    await process.start()
    url = f"http://127.0.0.1:{port}"

    async def ready() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            async with httpx.AsyncClient(trust_env=False) as http:
                return (await http.get(f"{url}/readyz")).status_code == 200
        return False

    try:
        await until(ready)
        yield url
    finally:
        await process.stop()

"""Fixtures of the tests with real clients."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clients.lab import Lab, open_lab
from tests.clients.npm import Node, NotInstalledError
from tests.fixtures.servers import Servers

HERE = Path(__file__).parent
TEST_SECONDS = 600


@pytest.fixture(scope="session")
async def lab(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """One stack for all clients."""
    async with open_lab(servers, tmp_path_factory.mktemp("clients")) as running:
        yield running


def missing(reason: str) -> None:
    """Something that a machine may lack is not there: CI must have it, elsewhere its tests are skipped."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
async def node(request: pytest.FixtureRequest) -> Node:
    """Node with the npm packages."""
    runner = Node()
    capture, reporter = (
        request.config.pluginmanager.getplugin(name) for name in ("capturemanager", "terminalreporter")
    )

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            reporter.write_line(f"\n{text}")

    try:
        await runner.install(say)
    except NotInstalledError as error:
        missing(f"the npm packages of tests/clients cannot be installed: {error}")
    return runner


@pytest.fixture(scope="session")
def chromium_or_none() -> str | None:
    """Where Chromium is."""
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test that needs the lab starts it, and the first of a round plays it."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


def pytest_configure(config: pytest.Config) -> None:
    """The mark that docs/compatibility.md is made from."""
    config.addinivalue_line("markers", "compat(client, feature): a cell of the compatibility matrix")

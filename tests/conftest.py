"""Fixtures for all tests, by concern."""

pytest_plugins = [
    "tests.fixtures.model_server",
    "tests.fixtures.secure_bus",
    "tests.fixtures.servers",
    "tests.fixtures.stack",
    "tests.fixtures.mortal",
    "tests.fixtures.babbler",
    "tests.fixtures.bus",
    "tests.fixtures.cluster",
]

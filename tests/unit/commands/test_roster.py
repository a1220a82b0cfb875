from pathlib import Path

import pytest

from services import roster


def test_every_builder_of_the_roster_exists() -> None:
    for spec in roster.ROSTER:
        assert callable(spec.load()), spec.name


def test_every_schema_has_migrations() -> None:
    for name, folder in roster.migrations():
        assert Path(folder).is_dir(), name


def test_an_unknown_service_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        roster.find("nobody")

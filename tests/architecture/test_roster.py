"""One line per service: its folder is there, and what follows from the line is as the line says."""

from typing import Any

import pytest
from pydantic import SecretStr

from kit.bus.describe import describe_subject
from kit.bus.health import health_subject
from kit.bus.streams import HEARD_FACTS
from kit.settings import AuthSettings, Settings
from services.permissions import _OF_SERVICES
from services.roster import ROSTER, ServiceSpec
from tests.architecture.source import ROOT

SETTINGS = Settings(auth=AuthSettings(secret=SecretStr("x" * 32)))
NAMES = {spec.name for spec in ROSTER}


def subscribers(spec: ServiceSpec) -> list[Any]:
    """What a service listens to, as it is built; nothing is started."""
    broker = getattr(spec.load()(SETTINGS), "_broker", None)
    return list(broker.subscribers) if broker else []


def test_each_folder_with_a_service_has_its_line() -> None:
    folders = {path.parent.name for path in (ROOT / "services").glob("*/service.py")}
    assert folders - NAMES == set(), "it has no line in services/roster.py"
    assert NAMES - folders == set(), "it has a line in services/roster.py and no folder with a service.py"


@pytest.mark.parametrize("spec", ROSTER, ids=lambda spec: spec.name)
def test_a_service_has_one_name_everywhere(spec: ServiceSpec) -> None:
    """In subjects, in the names of consumers (`<service>-<name>`), roles, schemas, containers and folders."""
    assert spec.name.isidentifier(), "letters and digits only: a hyphen would end it in the name of a consumer"
    assert "_" not in spec.name, "letters and digits only"
    assert spec.builder == f"services.{spec.name}.service:build"
    assert spec.schema in (None, spec.name), "the role and the schema of a service are named like it"
    assert spec.summary


@pytest.mark.parametrize("spec", [spec for spec in ROSTER if spec.name != "edge"], ids=lambda spec: spec.name)
def test_a_service_answers_what_every_service_is_asked(spec: ServiceSpec) -> None:
    heard = {subscriber.subject.template for subscriber in subscribers(spec)}
    assert heard >= {health_subject(spec.name)}, "its container is asked for its health: kit/bus/health.py"
    assert heard >= {describe_subject(spec.name)}, "/asyncapi asks what it listens to: kit/bus/describe.py"


def test_every_fact_that_a_service_hears_is_declared() -> None:
    """FastStream would make the consumer itself, and a bus that only keys open would refuse it."""
    heard = {
        (subscriber.queue, subscriber.subject.template)
        for spec in ROSTER
        for subscriber in subscribers(spec)
        if getattr(subscriber, "stream", None) is not None and subscriber.stream.name == "EVENTS"
    }
    assert heard - set(HEARD_FACTS.items()) == set(), "add it to HEARD_FACTS in kit/bus/streams.py, then: task docs"
    assert set(HEARD_FACTS.items()) - heard == set(), "nobody hears it: HEARD_FACTS in kit/bus/streams.py"


def test_nobody_has_rights_who_is_not_there() -> None:
    assert _OF_SERVICES.keys() - NAMES == set(), "services/permissions.py"

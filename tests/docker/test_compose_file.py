"""compose.yaml, held against the roster and the settings. What it does when it runs: compose_check.py."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_check import OURS

from kit.bus.streams import MAX_MESSAGE_BYTES
from kit.runtime.process import stop_seconds
from kit.settings import Settings
from kit.telemetry.setup import FLUSH_SECONDS
from services.commands.secret_files import FROM_FILES
from services.roster import ROSTER

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
HELPERS = {"secrets", "migrate", "proxy"}
SERVERS = {"nats", "postgres", "mailpit", "observability"}
NAMES = tuple(spec.name for spec in ROSTER)
THERE = tuple(spec for spec in ROSTER if spec.name in SERVICES)
"""One that is not has a test of its own: one failure, and not one for every rule."""


def test_it_has_a_block_for_each_service_of_the_roster_and_none_without_one() -> None:
    blocks = SERVICES.keys() - HELPERS - SERVERS
    assert set(NAMES) - blocks == set(), "it needs a block in compose.yaml, like that of compare"
    assert blocks - set(NAMES) == set(), "it has a block in compose.yaml and no line in services/roster.py"


def test_the_containers_that_are_tried_are_those_of_the_roster() -> None:
    assert OURS == NAMES


@pytest.mark.parametrize("name", [spec.name for spec in THERE])
def test_a_service_runs_itself_and_is_watched_restarted_and_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["command"] == ["python", "-m", "services", "run", name]
    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "container_name" not in service  # it can be scaled
    assert "user" not in service  # the image's, which is not root


@pytest.mark.parametrize("name", [spec.name for spec in THERE if spec.name != "edge"])
def test_a_service_without_http_is_asked_over_the_bus(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][-2:] == ["healthy", name]


@pytest.mark.parametrize("name", [spec.name for spec in THERE])
def test_a_service_has_time_to_drain(name: str) -> None:
    needed = stop_seconds(Settings()) + FLUSH_SECONDS
    assert float(SERVICES[name]["stop_grace_period"].removesuffix("s")) > needed


@pytest.mark.parametrize("spec", THERE, ids=lambda spec: spec.name)
def test_only_who_owns_tables_reaches_the_database(spec: Any) -> None:
    service = SERVICES[spec.name]
    assert ("data" in service["networks"]) == (spec.schema is not None)
    assert ("migrate" in service["depends_on"]) == (spec.schema is not None)
    assert "secret-postgres" not in str(service.get("volumes", ""))


def test_only_what_people_look_at_is_published_and_only_on_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == {"proxy", "mailpit", "observability"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_no_secret_is_written_down_and_the_services_read_theirs_from_files() -> None:
    for name in {spec.name for spec in THERE} | {"migrate"}:
        for variable, value in SERVICES[name].get("environment", {}).items():
            if variable.endswith(("SECRET_FILE", "PASSWORD_FILE")):
                assert variable.removesuffix("_FILE") in FROM_FILES
                assert value.startswith("/run/")
            elif re.search("SECRET|PASSWORD|KEY", variable):
                assert value is None, variable
    for variable in ("STUDIO_AUTH_SECRET", "STUDIO_DATABASE_SERVICE_PASSWORD", "POSTGRES_PASSWORD"):
        assert SERVICES["secrets"]["environment"][variable] is None


def test_nats_carries_what_we_send() -> None:
    found = re.search(r"max_payload: (\d+)", COMPOSE["configs"]["nats"]["content"])
    assert found
    assert int(found[1]) > MAX_MESSAGE_BYTES


def test_two_edges_stand_behind_a_proxy_that_waits_for_them_and_there_are_two_workers() -> None:
    assert SERVICES["proxy"]["depends_on"] == {"edge": {"condition": "service_healthy"}}
    assert (SERVICES["edge"]["deploy"], SERVICES["inference"]["deploy"]) == ({"replicas": 2}, {"replicas": 2})
    assert SERVICES["proxy"]["read_only"] is True
    assert SERVICES["proxy"]["cap_drop"] == ["ALL"]


PROXY = (ROOT / "docker" / "proxy" / "haproxy.cfg").read_text()


def test_the_proxy_is_patient_enough_for_streams_and_has_time_to_stop() -> None:
    patience = re.search(r"timeout server (\d+)h", PROXY)
    assert patience
    assert int(patience[1]) * 3600 > 10 * Settings().edge.heartbeat_seconds
    hard_stop = re.search(r"hard-stop-after (\d+)s", PROXY)
    assert hard_stop
    assert float(SERVICES["proxy"]["stop_grace_period"].removesuffix("s")) > int(hard_stop[1])


def test_the_proxy_gives_up_a_silent_client_as_soon_as_an_edge_would() -> None:
    """Otherwise a laptop that was closed would count as watching for a quarter of an hour."""
    patience = re.search(r"^ +bind :8484 tcp-ut (\d+)s$", PROXY, re.MULTILINE)
    assert patience
    assert int(patience[1]) == Settings().edge.unacknowledged_seconds


def test_the_proxy_neither_compresses_nor_buffers_nor_repeats_what_may_have_been_sent() -> None:
    assert not re.search(r"^\s*(compression|filter compression|option http-buffer-request)", PROXY, re.MULTILINE)
    assert re.findall(r"^\s*retry-on (.*)$", PROXY, re.MULTILINE) == ["conn-failure"]


def test_what_can_be_set_in_env_is_passed_on() -> None:
    text = (ROOT / "compose.yaml").read_text()
    names = re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert len(names) > 15
    for name in set(names) - {"COMPOSE_FILE"}:
        assert re.search(rf"^ +{name}:|\$\{{{name}[:-]", text, re.MULTILINE), name

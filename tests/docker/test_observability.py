"""The profile `observability` of compose.yaml and its dashboards. That they ask for what there is: test_traces.py."""

import itertools
import re
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml

from tests.docker.test_compose_file import COMPOSE, NAMES, ROOT, SERVICES
from tests.fixtures.dashboards import (
    BOARDS,
    FOLDER,
    OF_EVERY_PROCESS,
    documented,
    labels_of,
    metrics_of,
    panels,
    prometheus_names,
)

BACKEND: dict[str, Any] = SERVICES["observability"]
PROVIDER: dict[str, Any] = yaml.safe_load((FOLDER / "provider.yaml").read_text())
MOUNTED = {target: source for source, target, *_ in (volume.split(":") for volume in BACKEND["volumes"])}
PROVISIONING = PurePosixPath("/otel-lgtm/grafana/conf/provisioning/dashboards")
"""Where Grafana looks in that image, as its README says."""


def test_it_is_off_by_default_and_nobody_waits_for_it() -> None:
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert profiles == {"observability": ["observability"]}
    assert not [name for name, service in SERVICES.items() if "observability" in service.get("depends_on", {})]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_setting_that_starts_it_has_every_service_send_to_it(name: str) -> None:
    sending = SERVICES[name]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"]
    assert sending == "${OTEL_EXPORTER_OTLP_ENDPOINT:-${COMPOSE_PROFILES:+http://observability:4318}}"
    assert set(BACKEND["networks"]) <= set(SERVICES[name]["networks"])


def test_its_image_is_a_release_and_its_data_is_kept() -> None:
    assert re.fullmatch(r"grafana/otel-lgtm:\d+\.\d+\.\d+", BACKEND["image"])
    assert MOUNTED["/data"] == "observability"
    assert "observability" in COMPOSE["volumes"]
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in BACKEND["environment"]  # or it would send everything on


def test_who_is_on_this_machine_may_look_and_nobody_is_administrator() -> None:
    assert [port.split(":")[0] for port in BACKEND["ports"]] == ["127.0.0.1"]
    said = BACKEND["environment"]
    assert said["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert said["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"


def test_grafana_finds_the_dashboards_where_compose_mounts_them_and_cannot_change_them() -> None:
    assert all(volume.endswith(":ro") for volume in BACKEND["volumes"] if volume.startswith("./"))
    (files,) = (target for target, source in MOUNTED.items() if source == "./docker/observability/provider.yaml")
    assert PurePosixPath(files).parent == PROVISIONING
    (provider,) = PROVIDER["providers"]
    folder = provider["options"]["path"]
    assert (ROOT / MOUNTED[folder]).resolve() == FOLDER / "dashboards"
    assert provider["allowUiUpdates"] is False
    home = PurePosixPath(BACKEND["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (str(home.parent), home.stem) == (folder, "users")
    assert BOARDS.keys() == {"users", "machine-room"}


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_panel_says_what_it_shows_has_a_place_of_its_own_and_a_data_source_that_is_chosen(board: Any) -> None:
    places = []
    chosen = {f"${{{variable['name']}}}": variable["query"] for variable in board["templating"]["list"]}
    for panel in board["panels"]:
        assert panel["title"], panel["id"]
        assert panel["description"].endswith("."), panel["title"]
        for asking in (panel, *panel["targets"]):
            assert chosen[asking["datasource"]["uid"]] == asking["datasource"]["type"], panel["title"]
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        places += [(at["y"] + down, at["x"] + right) for down in range(at["h"]) for right in range(at["w"])]
    assert len(places) == len(set(places)), "panels lie on each other"
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_dashboards_have_names_of_their_own_by_which_they_are_found() -> None:
    for field in ("uid", "title"):
        assert len({board[field] for board in BOARDS.values()}) == len(BOARDS)
    assert all(board["links"][0]["tags"][0] in board["tags"] for board in BOARDS.values())


def test_no_number_of_now_is_of_a_process_that_is_long_gone() -> None:
    """Prometheus shows a value for five minutes after its process has ended, beside that of the one in its place."""
    for _, panel, target in panels("prometheus"):
        for gauge in re.findall(r"\b(?:studio_(?!t)\w+|target_info|http_server_active_requests)\b", target["expr"]):
            assert re.search(rf"last_over_time\({gauge}(\{{[^}}]*\}})?\[2m\]\)", target["expr"]), panel["title"]


@pytest.mark.parametrize(
    ("metric", "names"),
    [
        (("http.server.request.duration", "s", "histogram"), "http_server_request_duration_seconds_{bucket,sum,count}"),
        (("messaging.process.messages", "message", "counter"), "messaging_process_messages_message_total"),
        (("messaging.client.sent.messages", "{message}", "counter"), "messaging_client_sent_messages_total"),
        (("http.server.active_requests", "{request}", "gauge"), "http_server_active_requests"),
        (("studio.slots_used", "%", "gauge"), "studio_slots_used_percent"),
        (("system.cpu.utilization", "1", "gauge"), "system_cpu_utilization_ratio"),
        (("requests.total.seconds", "s", "counter"), "requests_seconds_total"),
    ],
)
def test_metrics_are_called_as_prometheus_calls_them(metric: tuple[str, str, str], names: str) -> None:
    """Looked at in Prometheus' own translator and in VictoriaMetrics, which got the same by OTLP."""
    stem, brace, parts = names.removesuffix("}").partition("{")
    assert prometheus_names(*metric) == ({stem + part for part in parts.split(",")} if brace else {stem})


def test_dashboards_show_nothing_but_documented_metrics() -> None:
    names = {OF_EVERY_PROCESS}.union(*(prometheus_names(*metric) for metric in documented()))
    asked = {metric for _, _, target in panels("prometheus") for metric in metrics_of(target["expr"])}
    assert len(asked) >= 8
    assert asked <= names


def test_what_a_query_names_is_found() -> None:
    asked = 'sum by (le, hop) (rate(a_total{x=~"b_c{1}", y!=""}[5m])) > bool 2 or d offset $__range'
    query = f'label_replace({asked}, "z", "$1", "x", "e")'
    assert metrics_of(query) == {"a_total", "d"}
    assert labels_of(query) == {"le", "hop", "x", "y"}


def test_pages_that_show_traces_name_services_of_ours() -> None:
    queries = [target["query"] for _, _, target in panels("tempo")]
    named = itertools.chain.from_iterable(
        re.findall(r'resource\.service\.name = "([^"]+)"', query) for query in queries
    )
    assert len(queries) >= 3
    assert set(named) <= {f"studio-{name}" for name in NAMES}
    assert all('resource.service.namespace = "ai-studio"' in query or "studio-" in query for query in queries)

"""Roster, compose and CDK, held against each other: a line and a block, and a size of its own only if it needs one."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.parts.environment import PROVIDER_KEYS
from kit.settings_docs import variables
from services.commands.secret_files import FROM_FILES
from services.roster import ROSTER
from tests.infra.synthesized import Resource, Synthesized, environment_of

ROOT = Path(__file__).parents[2]
COMPOSE, SECURE = (
    yaml.safe_load((ROOT / name).read_text())["services"] for name in ("compose.yaml", "compose.secure.yaml")
)
NAMES = [spec.name for spec in ROSTER]
OF_THE_BUS = ("STUDIO_NATS_NKEY", "STUDIO_NATS_CA")
FOREIGN = {"PGSSLMODE", "PGPASSWORD", *PROVIDER_KEYS}
"""Variables that a library of somebody else's reads."""


def test_each_service_of_the_roster_is_a_fargate_service_of_its_own(cloud: Synthesized) -> None:
    services = cloud.services()
    assert sorted(services) == sorted(NAMES)
    for service in services.values():
        providers = {one["CapacityProvider"] for one in service["CapacityProviderStrategy"]}
        assert providers <= {"FARGATE", "FARGATE_SPOT"}


def test_every_size_is_of_a_service_that_there_is(cloud: Synthesized) -> None:
    assert cloud.profile.tasks.keys() - set(NAMES) == set(), "infra/profiles.py"


@pytest.mark.parametrize("name", NAMES)
def test_a_service_is_started_as_compose_starts_it(cloud: Synthesized, name: str) -> None:
    assert cloud.containers()[name]["Command"] == COMPOSE[name]["command"]


def test_the_database_is_migrated_as_compose_does_it(cloud: Synthesized) -> None:
    assert cloud.containers()["migrate"]["Command"] == COMPOSE["migrate"]["command"]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "edge"])
def test_a_service_is_asked_for_its_health_as_compose_asks(cloud: Synthesized, name: str) -> None:
    assert cloud.containers()[name]["HealthCheck"]["Command"] == COMPOSE[name]["healthcheck"]["test"]


def test_the_edge_is_asked_only_whether_it_lives_for_ecs_replaces_what_is_not_healthy(cloud: Synthesized) -> None:
    check = cloud.containers()["edge"]["HealthCheck"]["Command"]
    assert "/healthz" in check[-1]
    assert str(cloud.containers()["edge"]["PortMappings"][0]["ContainerPort"]) in check[-1]
    compile(check[-1], "check", "exec")
    for group in cloud.named("AWS::ElasticLoadBalancingV2::TargetGroup").values():
        assert group["HealthCheckPath"] == "/healthz"
        assert group["Port"] == cloud.containers()["edge"]["PortMappings"][0]["ContainerPort"]


@pytest.mark.parametrize("spec", ROSTER, ids=lambda spec: spec.name)
def test_only_who_owns_tables_knows_the_database_and_waits_for_the_migration(cloud: Synthesized, spec: Any) -> None:
    container = cloud.containers()[spec.name]
    assert ("STUDIO_DATABASE_URL" in environment_of(container)) == (spec.schema is not None)
    assert ("STUDIO_DATABASE_SERVICE_PASSWORD" in secrets_of(container)) == (spec.schema is not None)
    waits = {one[:8] for one in waited_for(cloud, spec.name) if one.startswith("Once")}
    assert ("Oncemigr" in waits) == (spec.schema is not None)
    assert ("Oncedecl" in waits) == cloud.profile.bus_keys


def test_the_administrator_of_the_database_is_known_to_the_migration_only(cloud: Synthesized) -> None:
    for name, container in cloud.containers().items():
        assert ("PGPASSWORD" in secrets_of(container)) == (name == "migrate")
        assert ("studio_admin" in str(container)) == (name == "migrate")


def test_every_variable_is_a_setting_of_the_product(cloud: Synthesized) -> None:
    known = {variable for _, variable, _ in variables()} | FOREIGN
    for name, container in cloud.containers().items():
        given = set(environment_of(container)) | set(secrets_of(container))
        assert given <= known, name
        assert secrets_of(container) <= {*FROM_FILES, *PROVIDER_KEYS, *OF_THE_BUS, "STUDIO_WORKFLOW_TOKEN"}, name


def test_a_bus_that_keys_open_is_used_as_compose_uses_it(cloud: Synthesized) -> None:
    """compose.secure.yaml gives files; here the same things come as variables."""
    for name in NAMES:
        told, kept = environment_of(cloud.containers()[name]), secrets_of(cloud.containers()[name])
        wanted = SECURE[name]["environment"]
        same = {key: told.get(key) for key in ("STUDIO_NATS_TLS_FIRST", "STUDIO_NATS_INBOX", "STUDIO_NATS_DECLARE")}
        assert (same == {key: wanted[key] for key in same}) == cloud.profile.bus_keys
        assert (set(OF_THE_BUS) <= kept) == cloud.profile.bus_keys
    assert ("declare" in cloud.containers()) == cloud.profile.bus_keys
    if cloud.profile.bus_keys:
        assert cloud.containers()["declare"]["Command"] == SECURE["declare"]["command"]


def test_streams_have_as_many_copies_as_there_are_nodes_for(cloud: Synthesized) -> None:
    for name, container in cloud.containers().items():
        if name in NAMES:
            settings = environment_of(container)
            assert settings["STUDIO_NATS_REPLICAS"] == ("3" if cloud.profile.nats_nodes == 3 else "1")
            assert settings["STUDIO_NATS_URL"].count("://nats-") == cloud.profile.nats_nodes


def secrets_of(container: Resource) -> set[str]:
    return {secret["Name"] for secret in container.get("Secrets", [])}


def waited_for(cloud: Synthesized, name: str) -> list[str]:
    for resource in cloud.templates["Services"]["Resources"].values():
        if resource["Type"] == "AWS::ECS::Service" and resource["Properties"] == cloud.services()[name]:
            return list(resource.get("DependsOn", []))
    raise AssertionError(name)

"""The bus on AWS that only keys open: three real servers, run as the templates say, each user with its secret."""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from infra.bus_keys import bus_keys
from infra.bus_names import AUTHORITY, SERVERS, node_hosts
from infra.parts.nats_config import CLIENTS, MONITOR, ROUTES
from infra.profiles import PROFILES
from kit.bus.blobs import Blobs
from kit.bus.connection import Bus, BusError
from kit.bus.keys import public_key
from kit.bus.streams import declare_streams, ready_streams
from kit.runtime.errors import StartError
from kit.runtime.ports import LOOPBACK
from services.permissions import permissions
from tests.fixtures.aws_bus import AwsBus, filled
from tests.fixtures.bus import asked
from tests.fixtures.polling import until
from tests.fixtures.refusals import may_say, told
from tests.infra.synthesized import Synthesized, as_list
from tests.integration.bus.permission_table import MAY_PUBLISH, SERVICES

CLUSTER_SECONDS = 60
HOSTS = node_hosts(PROFILES["prod"])
USERS = (*SERVICES, "declare")


@pytest.fixture(scope="module")
async def bus(prod: Synthesized, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AwsBus]:
    with pytest.MonkeyPatch.context() as patch:
        secrets = filled(prod, patch)
    servers = AwsBus(prod, tmp_path_factory.mktemp("bus"), secrets)
    try:
        for number in range(3):  # as CloudFormation does: the next one when this one is healthy
            await servers.start(number)
            await until(lambda number=number: servers.healthy(number), seconds=CLUSTER_SECONDS)  # type: ignore[misc]
        await declared(servers)
        yield servers
    finally:
        await servers.stop()


async def declared(servers: AwsBus) -> None:
    """As the task `declare` does it, which comes when the nodes have found each other."""

    async def led() -> bool:
        async with httpx.AsyncClient(trust_env=False) as http:
            told = (await http.get(f"http://{LOOPBACK}:{servers.ports[0][MONITOR]}/jsz")).json()
        return bool(told["meta_cluster"].get("leader"))

    await until(led, seconds=CLUSTER_SECONDS)
    declaring = Bus(servers.settings("declare"), "declare")
    await declaring.connect()
    try:
        await Blobs(declaring, 3).declare()
        await declare_streams(declaring.client, 3)
    finally:
        await declaring.close()


@pytest.mark.parametrize("user", USERS)
async def test_a_user_comes_in_with_its_own_secret_and_says_what_is_its_own(bus: AwsBus, user: str) -> None:
    # Each at another node: all have the same list.
    url = bus.urls[USERS.index(user) % len(bus.urls)]
    async with told(bus.settings(user, url=url), user) as (client, refused):
        may = {subject for subject, allowed in MAY_PUBLISH.items() if user in allowed}
        assert await may_say(client, refused, MAY_PUBLISH) == may


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "edge"])
async def test_a_service_finds_what_was_declared_for_it(bus: AwsBus, service: str) -> None:
    async with told(bus.settings(service), service) as (client, refused):
        await ready_streams(client, bus.settings(service), service)
        assert refused == []


async def test_streams_are_kept_three_times_over_routes_that_speak_tls(bus: AwsBus) -> None:
    async with told(bus.settings("edge"), "edge") as (client, _):

        async def everywhere() -> bool:
            cluster = (await asked(client, "STREAM.INFO.RUNS"))["cluster"]
            others = [one["current"] for one in cluster.get("replicas", [])]
            return bool(cluster.get("leader")) and others == [True, True]

        await until(everywhere)
    for number in range(3):
        await until(lambda number=number: bus.healthy(number))  # type: ignore[misc]
    async with httpx.AsyncClient(trust_env=False) as http:
        for ports in bus.ports:
            known = (await http.get(f"http://{LOOPBACK}:{ports[MONITOR]}/varz")).json()
            assert known["auth_required"] is True
            assert known["cluster"]["tls_required"] is True
            assert known["cluster"]["tls_verify"] is True


@pytest.mark.parametrize("other", [{"nkey": ""}, {"nkey": bus_keys({}, HOSTS)["edge"]["seed"]}], ids=["none", "new"])
async def test_without_a_key_that_is_known_nobody_comes_in(
    bus: AwsBus, other: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kit.bus.connection.WAIT_FOR_SERVER_SECONDS", 1.0)
    with pytest.raises(BusError, match="STUDIO_NATS_NKEY"):
        await Bus(bus.settings("edge", **other), "stranger").connect()


async def test_servers_of_another_authority_are_not_believed(bus: AwsBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit.bus.connection.WAIT_FOR_SERVER_SECONDS", 1.0)
    other = bus_keys({}, HOSTS)["edge"]["authority"]
    with pytest.raises(BusError, match="certificate verify failed"):
        await Bus(bus.settings("edge", ca=other), "edge").connect()


async def test_who_is_no_server_does_not_come_in_where_servers_do(bus: AwsBus) -> None:
    """TLS 1.3 lets a client without a certificate say hello, and then hangs up."""
    context = ssl.create_default_context(cadata=bus.settings("edge").ca)

    async def come_in() -> None:
        reader, writer = await asyncio.open_connection(LOOPBACK, bus.ports[0][ROUTES], ssl=context)
        try:
            writer.write(b'CONNECT {"name":"stranger","cluster":"studio"}\r\nPING\r\n')
            await reader.readuntil(b"PONG\r\n")
        finally:
            writer.close()

    with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
        await come_in()


async def test_when_nodes_go_clients_find_the_others_and_who_is_left_is_kept(bus: AwsBus) -> None:
    async with told(bus.settings("chat", url=bus.urls[2]), "chat") as (client, _):
        await bus.stop(2)

        async def stored() -> bool:
            try:
                await client.request("evt.chat.conversation.created", b'{"told": true}', timeout=2)
            except Exception:  # it is on its way to another one
                return False
            return client.connected_url is not None and client.connected_url.port != bus.ports[2][CLIENTS]

        await until(stored, seconds=CLUSTER_SECONDS)
    # The one that is left over stays: ECS would put an empty one in the place of all there is.
    await bus.stop(1)
    await until(lambda: bus.healthy(0), seconds=CLUSTER_SECONDS)
    await bus.start(1, 2)
    for number in range(3):
        await until(lambda number=number: bus.healthy(number), seconds=CLUSTER_SECONDS)  # type: ignore[misc]


def test_a_second_time_nothing_is_new_but_what_is_asked_for() -> None:
    first = bus_keys({}, HOSTS)
    assert bus_keys(first, HOSTS) == first
    again = bus_keys(first, HOSTS, ["edge"])
    assert {name for name in first if again[name] != first[name]} == {"edge", SERVERS}
    assert again[SERVERS]["edge"] == public_key(again["edge"]["seed"])
    later = bus_keys({name: first[name] for name in first if name != "notifier"}, HOSTS)  # a service is new
    assert {name for name in first if later[name] != first[name]} == {"notifier", SERVERS}
    assert later[SERVERS]["certificate"] == first[SERVERS]["certificate"]
    moved = bus_keys(first, ["nats-0.elsewhere"])
    assert {name for name in first if moved[name] != first[name]} == {SERVERS}
    with pytest.raises(StartError, match="not the seed"):
        bus_keys({**first, "chat": {"seed": "SU"}}, HOSTS)


def test_each_task_may_read_its_own_secret_and_no_other(prod: Synthesized) -> None:
    made = {one["Name"].rpartition("/")[2]: name for name, one in prod.named("AWS::SecretsManager::Secret").items()
            if name.startswith("Bus")}  # fmt: skip
    assert set(made) == {*permissions(), SERVERS, AUTHORITY}
    read: dict[str, set[str]] = {}
    for _, _, task in prod.all("AWS::ECS::TaskDefinition"):
        role = task["ExecutionRoleArn"]["Fn::GetAtt"][0]
        allowed = [
            statement
            for _, _, policy in prod.all("AWS::IAM::Policy")
            if {"Ref": role} in policy["Roles"]
            for statement in policy["PolicyDocument"]["Statement"]
            if "secretsmanager:GetSecretValue" in as_list(statement["Action"])
        ]
        names = {whose for whose, name in made.items() if name in json.dumps([one["Resource"] for one in allowed])}
        read.setdefault(task["ContainerDefinitions"][0]["Name"], set()).update(names)
    assert read == {**{user: {user} for user in USERS}, "nats": {SERVERS}, "migrate": set(), "workflow-task": set()}


def test_no_seed_and_no_private_key_stands_in_a_template(clouds: dict[str, Synthesized]) -> None:
    for cloud in clouds.values():
        text = json.dumps(cloud.templates)
        assert not re.search(r"\bS[A-Z2-7]{57}\b", text)
        assert "PRIVATE KEY" not in text


def test_the_other_profiles_have_no_keys_unless_they_are_asked_for(clouds: dict[str, Synthesized]) -> None:
    for name in ("dev", "small"):
        text = json.dumps(clouds[name].templates)
        assert "/bus/" not in text
        assert "tls://" not in text


def test_a_file_of_the_servers_is_read_by_them_alone(prod: Synthesized, tmp_path: Path) -> None:
    for stack, _, task in prod.all("AWS::ECS::TaskDefinition"):
        if stack == "Messaging":
            assert task["ContainerDefinitions"][0]["Command"][-1].startswith("umask 077 && ")

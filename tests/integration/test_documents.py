"""The documents that a running stack serves say what the code does: OpenAPI for HTTP, AsyncAPI for the bus."""

import json
import pkgutil
import re
import typing
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from contracts import catalogue, events, subjects
from contracts.exchanges import EXCHANGES
from kit.bus.describe import DESCRIBE
from kit.bus.health import HEALTH
from kit.settings import BusSettings, Settings
from services.edge import routes
from services.edge.gateway import Gateway
from services.edge.openai import errors as openai_errors
from services.edge.routes import asyncapi as asyncapi_route
from services.roster import ROSTER
from tests.fixtures.stack import Stack

COMPONENT_KEY = re.compile(r"[A-Za-z0-9._-]+")
NOT_OF_A_SERVICE = {subjects.RPC, subjects.DEAD, subjects.CONTROL, subjects.DELIVERIES, subjects.TIMER}
"""Templates, and what is between the server and us."""
ABOUT_ITSELF = (f".{DESCRIBE}", f".{HEALTH}")
"""What every service is asked in the same words."""
Document = dict[str, Any]


async def served(stack: Stack, path: str) -> Document:
    async with stack.client() as http:
        response = await http.get(path)
    assert response.status_code == 200
    document: Document = response.json()
    return document


@pytest.fixture
async def openapi(stack: Stack) -> Document:
    return await served(stack, "/openapi.json")


@pytest.fixture
async def asyncapi(stack: Stack) -> Document:
    return await served(stack, "/asyncapi.json")


def references(value: Any) -> Iterator[str]:
    """Every reference in a document."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)


def resolve(document: Document, reference: str) -> Any:
    """What a reference points to; follows references on the way. Raises KeyError."""
    assert reference.startswith("#/")
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
        if isinstance(found, dict) and set(found) == {"$ref"}:
            found = resolve(document, found["$ref"])
    return found


@pytest.mark.parametrize("path", ["/openapi.json", "/asyncapi.json"])
async def test_every_reference_resolves(stack: Stack, path: str) -> None:
    document = await served(stack, path)
    found = set(references(document))
    assert len(found) > 10
    for reference in found:
        resolve(document, reference)


@pytest.mark.parametrize("path", ["/docs", "/asyncapi"])
async def test_the_documents_can_be_read_in_a_browser(stack: Stack, path: str) -> None:
    async with stack.client() as http:
        response = await http.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "AI Studio" in response.text


def routes_in_code() -> set[tuple[str, str]]:
    """Method and path of every route in the modules of services/edge/routes."""
    routers = [
        import_module(f"{routes.__name__}.{module.name}").router for module in pkgutil.iter_modules(routes.__path__)
    ]
    assert all(isinstance(router, APIRouter) for router in routers)
    found = [route for router in routers for route in router.routes]
    assert all(isinstance(route, APIRoute) for route in found), "a route that no document can show"
    return {
        (method.lower(), route.path_format)
        for route in found
        if isinstance(route, APIRoute)
        for method in route.methods
    }


def test_openapi_is_not_vacuous() -> None:
    assert ("post", "/v1/conversations/{conversation}/messages") in routes_in_code()


async def test_openapi_has_every_route_and_no_other(openapi: Document) -> None:
    told = {(method, path) for path, methods in openapi["paths"].items() for method in methods}
    assert told == routes_in_code()


async def test_openapi_says_what_each_route_is_for_and_how_it_fails(openapi: Document) -> None:
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            name = f"{method} {path}"
            assert operation["description"], name
            expected = "ErrorBody" if openai_errors.speaks(path) else "ProblemDocument"
            assert any(status.startswith("2") for status in operation["responses"]), name
            assert resolve(openapi, references_of_error(operation))["title"] == expected, name
            assert operation.keys() >= {"operationId", "tags"}, name


def references_of_error(operation: Document) -> str:
    (reference,) = references(operation["responses"]["default"])
    return reference


async def test_openapi_tells_that_runs_are_streamed(openapi: Document) -> None:
    for path, method in (
        ("/v1/conversations/{conversation}/messages", "post"),
        ("/v1/runs/{run}/events", "get"),
        ("/v1/comparisons", "post"),
        ("/v1/comparisons/{comparison}/runs", "post"),
        ("/api/compare", "post"),
        ("/v1/assistants/{assistant}/runs", "post"),
        ("/v1/runs/{run}/fork", "post"),
        ("/v1/runs/{run}/steps/{step}/retry", "post"),
        ("/api/assistants/{assistant}", "post"),
        ("/api/assistants/{assistant}/stream", "get"),
        ("/api/assistant-architect/execute", "post"),
        ("/v1/chat/completions", "post"),
        ("/v1/responses", "post"),
        ("/v1/responses/{response}", "get"),
    ):
        assert "text/event-stream" in openapi["paths"][path][method]["responses"]["200"]["content"]


async def test_openapi_tells_that_a_file_is_a_form_or_the_body(openapi: Document) -> None:
    content = openapi["paths"]["/v1/files"]["post"]["requestBody"]["content"]
    assert content["multipart/form-data"]["schema"]["properties"]["file"]["format"] == "binary"
    assert content["application/octet-stream"]["schema"]["format"] == "binary"


async def test_openapi_tells_that_nothing_else_may_be_in_a_definition(openapi: Document) -> None:
    body = openapi["paths"]["/v1/assistants"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    strict = {"NewAssistant"}
    waiting = [resolve(openapi, body["$ref"])]
    while waiting:
        schema = waiting.pop()
        assert schema["additionalProperties"] is False, schema["title"]
        for reference in references(schema["properties"]):
            name, found = reference.rpartition("/")[2], resolve(openapi, reference)
            if name.startswith(("Given", "New")) and name not in strict:
                strict.add(name)
                waiting.append(found)
    assert strict >= {"GivenDefinition", "GivenField", "GivenStep", "GivenApproval", "GivenChoice", "GivenParameters"}


def subjects_in_code() -> dict[str, str]:
    """What the handlers of all services subscribe to, with the service."""
    found = {}
    for spec in ROSTER:
        broker = getattr(spec.load()(Settings()), "_broker", None)
        if spec.name != "edge":
            assert broker is not None, f"{spec.name} keeps its broker elsewhere"
            found.update({subscriber.subject.broker_address: spec.name for subscriber in broker.subscribers})
    return {subject: service for subject, service in found.items() if not subject.endswith(ABOUT_ITSELF)}


async def test_asyncapi_has_every_subscriber_and_no_other(asyncapi: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_AUTH_SECRET", "a secret for tests that is long enough")
    told = {
        asyncapi["channels"][operation["channel"]["$ref"].rpartition("/")[2]]["address"]
        for operation in asyncapi["operations"].values()
        if operation["action"] == "receive"
    }
    pulled = {command.SUBJECT for command in catalogue.COMMANDS}  # by the worker, without FastStream
    in_code = subjects_in_code()
    assert len(in_code) > len(EXCHANGES)
    assert told == in_code.keys() | pulled
    assert "x-absent-services" not in asyncapi["info"]


async def test_asyncapi_has_every_event_of_the_run_log(asyncapi: Document) -> None:
    kinds = typing.get_args(events.Event)
    for channel in ("log", "live"):
        assert asyncapi["channels"][channel]["messages"].keys() == {kind.__struct_config__.tag for kind in kinds}
    for kind in kinds:
        schema = resolve(asyncapi, asyncapi["components"]["messages"][kind.__struct_config__.tag]["payload"]["$ref"])
        assert schema["properties"].keys() == {"type", *kind.__struct_fields__}


async def test_asyncapi_has_every_fact(asyncapi: Document) -> None:
    for fact in catalogue.FACTS:
        channel = asyncapi["channels"][type(fact).__name__]
        assert channel["address"] == fact.SUBJECT
        (message,) = channel["messages"].values()
        schema = resolve(asyncapi, resolve(asyncapi, message["$ref"])["payload"]["$ref"])
        assert schema["properties"].keys() == type(fact).model_fields.keys()
        for parameter, described in channel["parameters"].items():
            assert getattr(fact, parameter) in described["enum"]
    told = {channel["address"] for channel in asyncapi["channels"].values() if channel["address"]}
    assert told >= set(subjects.SUBJECTS_ARE_FOR) - NOT_OF_A_SERVICE


async def test_asyncapi_says_what_each_request_is_answered_with(asyncapi: Document) -> None:
    for exchange in EXCHANGES:
        subject = type(exchange.request).rpc_subject()
        (operation,) = [
            operation
            for operation in asyncapi["operations"].values()
            if resolve(asyncapi, operation["channel"]["$ref"])["address"] == subject
        ]
        (message,) = operation["messages"]
        payload = resolve(asyncapi, resolve(asyncapi, message["$ref"])["payload"]["$ref"])
        assert payload.get("properties", {}).keys() == type(exchange.request).model_fields.keys()
        (reply,) = operation["reply"]["messages"]
        answered = resolve(asyncapi, resolve(asyncapi, reply["$ref"])["payload"]["$ref"])
        result = references(answered["properties"]["result"])
        assert [ref.rpartition("/")[2] for ref in result] == [type(exchange.result).__name__]


async def test_asyncapi_is_well_formed(asyncapi: Document) -> None:
    assert asyncapi["asyncapi"].startswith("3.")
    for section in (asyncapi["channels"], asyncapi["operations"], *asyncapi["components"].values()):
        assert all(COMPONENT_KEY.fullmatch(key) for key in section)
    for channel in asyncapi["channels"].values():
        used = set(re.findall(r"{(\w+)}", channel["address"] or ""))
        assert used == set(channel.get("parameters", {}))
        assert "servers" not in channel, "where NATS is belongs to the deployment"
    for operation in asyncapi["operations"].values():
        assert operation["action"] in {"send", "receive"}
        own = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{own}/messages/") for message in operation["messages"])


async def test_asyncapi_names_services_that_do_not_run(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncapi_route, "SERVICES", ("chat", "a-service-of-tomorrow"))
    gateway = Gateway(Settings(nats=BusSettings(url=(stack.servers.nats_url,))))
    await gateway.bus.connect()
    try:
        document = json.loads((await asyncapi_route.asyncapi_json(gateway)).body)
    finally:
        await gateway.bus.close()
    assert document["info"]["x-absent-services"] == ["a-service-of-tomorrow"]
    assert "rpc.chat.get_run.OnGetRun" in document["channels"]

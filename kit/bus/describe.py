"""A service tells what it listens to, from its own handlers: AsyncAPI, asked for over the bus."""

import json
import re
from typing import Any
from urllib.parse import unquote

from faststream.nats import NatsBroker
from faststream.specification import AsyncAPI
from nats.errors import Error as NatsError

from contracts import subjects
from kit.bus.connection import Bus

DESCRIBE = "describe"
TIMEOUT_SECONDS = 3.0

_BY_NAME = frozenset({"channels", "operations", "messages", "schemas"})
"""Objects whose keys are names that others refer to."""


def describe_subject(service: str) -> str:
    """Where a service is asked what it listens to."""
    return subjects.RPC.format(service=service, verb=DESCRIBE)


def describe_service(broker: NatsBroker, service: str, description: str) -> None:
    """Answer `rpc.<service>.describe` with the AsyncAPI document of the broker's handlers."""

    async def describe(_: Any) -> dict[str, Any]:
        specification = AsyncAPI(broker, title=service, description=description, schema_version="3.0.0")
        document: dict[str, Any] = json.loads(specification.to_specification().to_json())
        return document

    broker.subscriber(describe_subject(service), queue=service, include_in_schema=False)(describe)


async def description_of(bus: Bus, service: str) -> dict[str, Any] | None:
    """The AsyncAPI document of a running service; None if it does not run."""
    try:
        answer = await bus.client.request(describe_subject(service), b"", timeout=TIMEOUT_SECONDS)
    except NatsError:
        return None
    document: dict[str, Any] = json.loads(answer.data)
    return document


def merge(document: dict[str, Any], told: dict[str, Any]) -> None:
    """Add a service's document to another. What both define is the same class of the contracts: the first stays."""
    told = _renamed(told)
    for channel in told.get("channels", {}).values():
        channel.pop("servers", None)  # where NATS is belongs to the deployment
    for section in ("channels", "operations"):
        document[section].update(told.get(section, {}))
    for kind in ("messages", "schemas"):
        parts = told.get("components", {}).get(kind, {})
        document["components"][kind] = parts | document["components"][kind]


def _renamed(value: Any, *, names: bool = False) -> Any:
    """FastStream puts colons and asterisks into names; AsyncAPI allows letters, digits, dot, hyphen and underscore."""
    if isinstance(value, list):
        return [_renamed(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("$ref"), str):
        return {**value, "$ref": "/".join(_name(unquote(part)) for part in value["$ref"].split("/"))}
    return {
        (_name(key) if names else key): _renamed(item, names=key in _BY_NAME and not names)
        for key, item in value.items()
    }


def _name(text: str) -> str:
    return text if text == "#" else re.sub(r"[^A-Za-z0-9._-]", "_", text.replace(":", ".").replace("*", "any"))

"""A service tells what it listens to, from its own handlers: AsyncAPI, asked for over the bus."""

import json
from typing import Any

from faststream.nats import NatsBroker
from faststream.specification import AsyncAPI

from contracts import subjects

DESCRIBE = "describe"


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

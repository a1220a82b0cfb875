"""The contracts as AsyncAPI 3: the run log, control subjects, facts and commands, and what requests are answered with.

FastStream describes what a service's handlers receive; here is what it cannot know, since it does not carry it.
"""

import re
import typing
from collections.abc import Iterable
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from contracts import events, subjects
from contracts.catalogue import COMMANDS, FACTS
from contracts.exchanges import EXCHANGES, reply_type
from contracts.message import Message

Document = dict[str, Any]

_SCHEMA = "#/components/schemas/{name}"
_MESSAGE = "#/components/messages/{name}"
_DESCRIPTION = """\
What is said on the bus. Facts (`evt.>`) are for anybody who subscribes; docs/bus.md has examples of everything.
Unknown types and unknown fields are to be ignored: both are only ever added.
"""


def contracts_document() -> Document:
    """An AsyncAPI document of everything but the services' handlers, whose documents are merged into it."""
    kinds = typing.get_args(events.Event)
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_SCHEMA)
    told = {str(kind.__struct_config__.tag): _message(kind) for kind in kinds}
    document: Document = {
        "asyncapi": "3.0.0",
        "info": {"title": "AI Studio", "version": "1", "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {
            "log": _channel(subjects.LOG, told),
            "live": _channel(subjects.LIVE, told),
            "cancel": _channel(subjects.CANCEL, ()),
            "ping": _channel(subjects.PING, ()),
            "presence": _channel(subjects.PRESENCE, ()),
        },
        "operations": {},
        "components": {"messages": told, "schemas": schemas},
    }
    for fact in FACTS:
        _add(document, type(fact), "send")
    for command in COMMANDS:
        _add(document, type(command), "receive")
    _add_schemas(document, [type(message) for message in (*FACTS, *COMMANDS)])
    return document


def add_replies(document: Document) -> None:
    """Say what each request is answered with, in the operations of a document that receive one."""
    _add_schemas(document, [reply_type(type(exchange.request)) for exchange in EXCHANGES])
    channels, messages = document["channels"], document["components"]["messages"]
    receivers = {_at(document, operation["channel"]): operation for operation in document["operations"].values()}
    for exchange in EXCHANGES:
        subject, reply = type(exchange.request).rpc_subject(), reply_type(type(exchange.request))
        operation = receivers.get(subject)
        if operation is None:
            continue
        name = f"{subject}.reply"
        messages[name] = {"title": f"{subject} answered", "payload": {"$ref": _SCHEMA.format(name=schema_name(reply))}}
        channels[name] = {"address": None, "messages": {"reply": {"$ref": _MESSAGE.format(name=name)}}}
        operation["reply"] = {
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": [{"$ref": f"#/channels/{name}/messages/reply"}],
        }


def schema_name(kind: type[BaseModel]) -> str:
    """What a model is called among the schemas; brackets of a generic type may not be in there."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", kind.__name__)


def _at(document: Document, channel: dict[str, str]) -> str | None:
    address: str | None = document["channels"][channel["$ref"].removeprefix("#/channels/")]["address"]
    return address


def _message(kind: type[Any]) -> Document:
    return {
        "title": kind.__name__,
        "summary": " ".join((kind.__doc__ or "").split()),
        "payload": {"$ref": _SCHEMA.format(name=kind.__name__)},
    }


def _channel(address: str, carried: Iterable[str]) -> Document:
    return {
        "address": address,
        "description": subjects.SUBJECTS_ARE_FOR[address],
        "parameters": {name: {} for name in re.findall(r"{(\w+)}", address)},
        "messages": {name: {"$ref": _MESSAGE.format(name=name)} for name in carried},
    }


def _add(document: Document, kind: type[Message], action: str) -> None:
    """A channel for a message, and the operation of the service whose name its subject carries."""
    name = kind.__name__
    service = kind.SUBJECT.split(".")[1]
    channel = _channel(kind.SUBJECT, [name])
    for parameter, described in channel["parameters"].items():
        described["enum"] = list(typing.get_args(kind.model_fields[parameter].annotation))
    document["components"]["messages"][name] = _message(kind)
    document["channels"][name] = channel
    document["operations"][f"{service}.{action}s.{name}"] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
    }


def _add_schemas(document: Document, kinds: Iterable[type[BaseModel]]) -> None:
    _, found = models_json_schema([(kind, "validation") for kind in kinds], ref_template="#/components/schemas/{model}")
    for name, schema in found.get("$defs", {}).items():
        document["components"]["schemas"].setdefault(name, schema)

"""The run log as AsyncAPI channels: what FastStream cannot describe, since it does not carry it."""

from typing import Any

import msgspec

from contracts import events, subjects

_PARAMETERS = ("tenant", "user", "run", "lane")
_REF = "#/components/schemas/{name}"


def run_log_channels() -> dict[str, Any]:
    """An AsyncAPI 3 document with the run log and control subjects; services' own documents are merged into it."""
    types = events.Event.__args__
    (_, schemas) = msgspec.json.schema_components(types, ref_template=_REF)
    messages = {
        kind.__struct_config__.tag: {
            "title": kind.__name__,
            "summary": (kind.__doc__ or "").strip(),
            "payload": {"$ref": _REF.format(name=kind.__name__)},
        }
        for kind in types
    }
    references = {name: {"$ref": f"#/components/messages/{name}"} for name in messages}
    parameters: dict[str, Any] = {name: {} for name in _PARAMETERS}

    def channel(address: str, description: str, carried: dict[str, Any]) -> dict[str, Any]:
        return {"address": address, "description": description, "parameters": parameters, "messages": carried}

    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "AI Studio",
            "version": "1",
            "description": "What is said on the bus. Facts (evt.>) are for anybody who subscribes.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "log": channel(subjects.LOG, "The run log: stored, acknowledged, fenced.", references),
            "live": channel(subjects.LIVE, "The same messages, republished once they are stored.", references),
            "cancel": channel(subjects.CANCEL, "Request: stop this generation. The worker answers when it has.", {}),
            "ping": channel(subjects.PING, "Request: is a worker at this generation?", {}),
        },
        "operations": {},
        "components": {"messages": messages, "schemas": schemas},
    }

"""The configuration of a NATS server that only keys open, each for what its user may do. It holds no secret."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.bus.permissions import Permissions
from kit.runtime.embedded_nats import MAX_PAYLOAD_BYTES, SYNC_INTERVAL

GREETING_DELAY_SECONDS = 1
"""Ours speak TLS at once, and are waited for so long; a tool that wants to be greeted first is greeted then.
With `auto` NATS waits for 50 ms only, and a client on a busy machine is then greeted in the middle of its handshake."""
HANDSHAKE_SECONDS = 5
"""As long as a client of ours waits (kit/bus/connection.py)."""
ANSWERS_PER_REQUEST = 1
ANSWER_SECONDS = 120
"""So long after a request it may be answered: longer than anybody waits (the edge for the text of a file: 90 s)."""


@dataclass(frozen=True)
class User:
    """Whom the server knows by a key, and what it lets him do."""

    public_key: str
    permissions: Permissions


@dataclass(frozen=True)
class ServerPlace:
    """Where the server is, and where its files are as it sees them."""

    listen: str
    store: Path
    certificate: Path
    key: Path
    monitor: str | None = None
    """For health checks; it tells everything to everybody, so it belongs on the loopback address."""


def server_configuration(name: str, place: ServerPlace, users: Mapping[str, User]) -> str:
    """The file that the server reads. It is JSON, which NATS understands."""
    configuration: dict[str, Any] = {
        "server_name": name,
        "listen": place.listen,
        "max_payload": MAX_PAYLOAD_BYTES,
        "jetstream": {"store_dir": str(place.store), "sync_interval": SYNC_INTERVAL},
        "tls": {
            "cert_file": str(place.certificate),
            "key_file": str(place.key),
            "handshake_first": f"{GREETING_DELAY_SECONDS}s",
            "timeout": HANDSHAKE_SECONDS,
        },
        "authorization": {"users": [_user(users[user]) for user in sorted(users)]},
    }
    if place.monitor is not None:
        configuration["http"] = place.monitor
    return json.dumps(configuration, indent=2) + "\n"


def _only(subjects: tuple[str, ...], never: tuple[str, ...]) -> dict[str, list[str]]:
    """A list with nothing on it would mean everything (2.15.1)."""
    return {"allow": list(subjects), "deny": list(never)} if subjects else {"deny": [">"]}


def _user(user: User) -> dict[str, Any]:
    return {"nkey": user.public_key, "permissions": permissions_of(user.permissions)}


def permissions_of(allowed: Permissions) -> dict[str, Any]:
    """In the server's words."""
    permissions: dict[str, Any] = {
        "publish": _only(allowed.publish, allowed.never_publish),
        "subscribe": _only(allowed.subscribe, ()),
    }
    if allowed.answers:
        permissions["allow_responses"] = {"max": ANSWERS_PER_REQUEST, "expires": f"{ANSWER_SECONDS}s"}
    return permissions

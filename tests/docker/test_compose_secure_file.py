"""compose.secure.yaml, held against the roster and the permissions. What it does when it runs: compose_check.py."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from kit.settings import BusSettings
from services.permissions import ANALYST, DECLARE, INBOX, permissions
from services.roster import ROSTER

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.secure.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
NAMES = (*(spec.name for spec in ROSTER), DECLARE)
THERE = tuple(name for name in NAMES if name in SERVICES)
"""One that is not has a test of its own: one failure, and not one for every rule."""
KEY, TRUST = "/run/bus/key", "/run/bus/trust"


def test_it_has_a_block_for_each_service_and_a_key_for_each_user() -> None:
    blocks = SERVICES.keys() - {"bus-keys", "nats"}
    assert set(NAMES) - blocks == set(), "it needs a block in compose.secure.yaml as well, like that of compare"
    assert blocks - set(NAMES) == set(), "it has a block in compose.secure.yaml and no line in services/roster.py"
    made = {volume.split(":")[0] for volume in SERVICES["bus-keys"]["volumes"]}
    needed = {f"bus-key-{user}" for user in permissions()}
    assert needed - made == set(), "it needs a volume among those of bus-keys in compose.secure.yaml"
    assert set(permissions()) == {*NAMES, ANALYST}
    assert made - set(COMPOSE["volumes"]) == set(), "it needs a line under `volumes:` in compose.secure.yaml"
    assert set(COMPOSE["volumes"]) - made == set()


@pytest.mark.parametrize("name", THERE)
def test_a_service_sees_its_own_key_and_the_authority_and_nothing_else(name: str) -> None:
    assert SERVICES[name]["volumes"] == [f"bus-trust:{TRUST}:ro", f"bus-key-{name}:{KEY}:ro"]


@pytest.mark.parametrize("name", THERE)
def test_a_service_is_told_to_use_them(name: str) -> None:
    told = SERVICES[name]["environment"]
    settings = BusSettings.model_validate({key.removeprefix("STUDIO_NATS_").lower(): told[key] for key in told})
    assert settings.url == ("tls://nats:4222",)
    assert (settings.tls_first, settings.declare) == (True, False)
    assert (str(settings.ca_file), str(settings.nkey_file)) == (f"{TRUST}/authority.pem", f"{KEY}/seed")
    assert settings.inbox == INBOX.format(user=name)


def test_only_who_makes_them_sees_the_authoritys_key_and_only_the_server_its_own() -> None:
    for volume, allowed in (("bus-authority", {"bus-keys"}), ("bus-server", {"bus-keys", "nats"})):
        seen = {name for name, service in SERVICES.items() if f"{volume}:" in str(service.get("volumes"))}
        assert seen == allowed
    assert SERVICES["bus-keys"]["network_mode"] == "none"


def test_nothing_that_takes_messages_starts_before_the_streams_are_declared() -> None:
    for name in set(THERE) - {DECLARE}:
        assert SERVICES[name]["depends_on"] == {DECLARE: {"condition": "service_completed_successfully"}}

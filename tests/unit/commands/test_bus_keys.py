"""Keys, certificates and the server's configuration, as `make-bus-keys` makes them."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from kit.bus.keys import new_seed, public_key
from kit.runtime.embedded_nats import find_nats_server
from kit.runtime.errors import StartError
from services.commands.bus_keys import make_bus_keys
from services.permissions import permissions


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_server_takes_its_configuration_and_it_holds_no_secret(tmp_path: Path) -> None:
    make_bus_keys(tmp_path, store=tmp_path / "data")
    configuration = tmp_path / "server" / "nats.conf"
    subprocess.run([find_nats_server(), "-t", "-c", str(configuration)], check=True, capture_output=True, timeout=30)
    text = configuration.read_text()
    assert not re.search(r"\bS[A-Z2-7]{57}\b", text)
    users = json.loads(text)["authorization"]["users"]
    seeds = {user: (tmp_path / "keys" / user / "seed").read_text() for user in permissions()}
    assert {user["nkey"] for user in users} == {public_key(seed) for seed in seeds.values()}
    assert len(set(seeds.values())) == len(seeds)
    assert not any("PRIVATE" in text for name, text in files(tmp_path).items() if not name.endswith(".key"))


def test_an_empty_list_is_not_everything(tmp_path: Path) -> None:
    make_bus_keys(tmp_path)
    users = json.loads((tmp_path / "server" / "nats.conf").read_text())["authorization"]["users"]
    analyst = public_key((tmp_path / "keys" / "analyst" / "seed").read_text())
    (found,) = [user["permissions"] for user in users if user["nkey"] == analyst]
    assert found["publish"] == {"deny": [">"]}


def test_what_was_made_stays_and_what_is_missing_is_made_again(tmp_path: Path) -> None:
    make_bus_keys(tmp_path)
    before = files(tmp_path)
    make_bus_keys(tmp_path)
    assert files(tmp_path) == before
    for name in ("keys/chat/seed", "server/server.key"):
        (tmp_path / name).unlink()
    make_bus_keys(tmp_path)
    after = files(tmp_path)
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {"keys/chat/seed", "server/nats.conf", "server/server.key", "server/server.pem"}


def test_other_names_need_another_certificate_of_the_same_authority(tmp_path: Path) -> None:
    make_bus_keys(tmp_path)
    before = files(tmp_path)
    make_bus_keys(tmp_path, host=["nats.internal"])
    after = files(tmp_path)
    assert after["server/server.pem"] != before["server/server.pem"]
    assert after["trust/authority.pem"] == before["trust/authority.pem"]


def test_a_folder_that_cannot_be_written_and_a_file_that_is_no_key_are_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="cannot be kept: Not a directory"):
        make_bus_keys(tmp_path / "file")
    with pytest.raises(StartError, match="not the seed of an NKey"):
        public_key("SUAnonsense")
    assert public_key(new_seed()).startswith("U")

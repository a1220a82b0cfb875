"""`make-bus-keys FOLDER`: a key for every user of the bus, certificates, and the NATS server's configuration.

    <folder>/keys/<user>/seed       for that user and nobody else
    <folder>/trust/authority.pem    for everybody
    <folder>/server/                for the NATS server: nats.conf, server.pem, server.key
    <folder>/authority/             for this command: with its key anybody can be a server of ours

In containers each of these folders is a volume. What is there stays, but the configuration is made anew each time, as
is a certificate that will soon be too old; the server reads both when it starts.
"""

from pathlib import Path
from typing import Annotated

import typer

from kit.runtime.datadir import write_private
from kit.runtime.errors import StartError

FOR_CONTAINERS, PRIVATE = 0o444, 0o400
SERVER_NAME, LISTEN, MONITOR = "nats", "0.0.0.0:4222", "127.0.0.1:8222"


def make_bus_keys(
    folder: Annotated[Path, typer.Argument(help="where they go; the server finds its part at the same path")],
    store: Annotated[Path, typer.Option(help="where the server keeps its streams")] = Path("/data"),
    host: Annotated[list[str], typer.Option(help="a name or address of the server; the first is its own")] = [  # noqa: B006
        SERVER_NAME,
        "localhost",
        "127.0.0.1",
    ],
    listen: Annotated[str, typer.Option(help="where the server listens")] = LISTEN,
    monitor: Annotated[str, typer.Option(help="where it answers health checks; empty: nowhere")] = MONITOR,
) -> None:
    """Make what a bus needs that only keys open: every service's key, certificates, the server's configuration."""
    try:
        _make(folder, store, host, listen, monitor or None)
    except OSError as error:
        raise StartError(f"{error.filename or folder} cannot be kept: {error.strerror}") from None


def _make(folder: Path, store: Path, hosts: list[str], listen: str, monitor: str | None) -> None:
    from kit.bus.keys import new_seed, public_key
    from kit.bus.server_config import ServerPlace, User, server_configuration
    from services.permissions import permissions

    users = {}
    for name, allowed in permissions().items():
        seed = folder / "keys" / name / "seed"
        if not _kept(seed):
            _write(seed, new_seed() + "\n", FOR_CONTAINERS)
        users[name] = User(public_key(_kept(seed)), allowed)
    certificate, key = _certificate(folder, hosts)
    place = ServerPlace(listen=listen, store=store, certificate=certificate, key=key, monitor=monitor)
    configuration = server_configuration(SERVER_NAME, place, users)
    _write(folder / "server" / "nats.conf", configuration, FOR_CONTAINERS)


def _certificate(folder: Path, hosts: list[str]) -> tuple[Path, Path]:
    """The server's certificate and key, made if they are not there or not good any more."""
    from kit.runtime.certificates import Pair, is_good, make_authority, make_certificate

    certificate, key = folder / "authority" / "authority.pem", folder / "authority" / "authority.key"
    if not (_kept(certificate) and _kept(key)):
        made = make_authority("AI Studio's bus")
        _write(key, made.key, PRIVATE)
        _write(certificate, made.certificate, FOR_CONTAINERS)
    authority = Pair(_kept(certificate), _kept(key))
    _write(folder / "trust" / "authority.pem", authority.certificate, FOR_CONTAINERS)
    own, own_key = folder / "server" / "server.pem", folder / "server" / "server.key"
    if not is_good(Pair(_kept(own), _kept(own_key)), hosts, authority):
        made = make_certificate(authority, hosts)
        _write(own_key, made.key, FOR_CONTAINERS)
        _write(own, made.certificate, FOR_CONTAINERS)
    return own, own_key


def _kept(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _write(path: Path, text: str, mode: int) -> None:
    """Whole or not at all; what is the same already is left alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if _kept(path) != text:
        write_private(path, text)
    path.chmod(mode)


command = make_bus_keys

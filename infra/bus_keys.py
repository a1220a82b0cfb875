"""`python -m infra.bus_keys PROFILE`: make the keys of the bus, and keep them in Secrets Manager.

After `Studio-<profile>-Data` and before the rest; by a person, who needs `GetSecretValue` and `PutSecretValue` on
`ai-studio/<profile>/bus/*`. What is there stays, so it may run at any time: a new service gets a key, and a certificate
that will soon be too old is made anew. Nothing secret is printed, and no file is written.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from infra.bus_names import AUTHORITY, SERVERS, node_hosts, secret_name
from infra.profiles import PROFILES
from kit.bus.keys import new_seed, public_key
from kit.runtime.certificates import Pair, is_good, make_authority, make_certificate
from kit.runtime.errors import StartError
from services.permissions import permissions

HERE = ("localhost", "127.0.0.1")
"""A tunnel of Systems Manager ends there: somebody has to be able to look at the streams."""

Fields = dict[str, str]


def bus_keys(kept: Mapping[str, Fields], hosts: Sequence[str], anew: Sequence[str] = ()) -> dict[str, Fields]:
    """What has to be in each secret, by whose it is; `anew`: users whose key is to be another one.

    Raises StartError for a seed that is none.
    """
    authority = _pair(kept.get(AUTHORITY, {}))
    if not (authority.certificate and authority.key):
        authority = make_authority("AI Studio's bus")
    names = [*hosts, *HERE]
    server = _pair(kept.get(SERVERS, {}))
    if not is_good(server, names, authority):
        server = make_certificate(authority, names, calls_others=True)
    seeds = {user: kept.get(user, {}).get("seed", "") for user in permissions()}
    seeds = {user: seed if seed and user not in anew else new_seed() for user, seed in seeds.items()}
    publics = {user: public_key(seed) for user, seed in seeds.items()}
    trusted = {"authority": authority.certificate}
    return {
        **{user: {"seed": seed, **trusted} for user, seed in seeds.items()},
        SERVERS: {"certificate": server.certificate, "key": server.key, **trusted, **publics},
        AUTHORITY: {"certificate": authority.certificate, "key": authority.key},
    }


def fill(secrets: Any, profile: str, hosts: Sequence[str], anew: Sequence[str] = ()) -> list[str]:
    """Bring the secrets of a profile to that state; whose were changed. `secrets` is botocore's client."""
    kept = {whose: _read(secrets, profile, whose) for whose in (AUTHORITY, SERVERS, *permissions())}
    wanted = bus_keys(kept, hosts, anew)
    # The authority first: whoever is interrupted must not have signed with one that is lost.
    changed = [whose for whose in kept if wanted[whose] != kept[whose]]
    for whose in changed:
        secrets.put_secret_value(SecretId=secret_name(profile, whose), SecretString=json.dumps(wanted[whose]))
    return changed


def _pair(fields: Fields) -> Pair:
    return Pair(fields.get("certificate", ""), fields.get("key", ""))


def _read(secrets: Any, profile: str, whose: str) -> Fields:
    name = secret_name(profile, whose)
    try:
        return dict(json.loads(secrets.get_secret_value(SecretId=name)["SecretString"]))
    except secrets.exceptions.ResourceNotFoundException:
        raise StartError(f"there is no secret {name}: deploy Studio-{profile}-Data with bus keys first") from None


def main() -> None:
    """For a person with rights in the account."""
    parser = argparse.ArgumentParser(prog="python -m infra.bus_keys", description="Make the keys of the bus.")
    parser.add_argument("profile", choices=PROFILES)
    parser.add_argument("--region", help="usually the one that AWS's own settings name")
    parser.add_argument("--new", action="append", default=[], choices=list(permissions()), help="give it another key")
    given = parser.parse_args()
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.session import Session

    try:
        client = Session().create_client("secretsmanager", region_name=given.region)
        changed = fill(client, given.profile, node_hosts(PROFILES[given.profile]), given.new)
    except (BotoCoreError, ClientError) as error:
        raise StartError(f"Secrets Manager: {error}") from None
    sys.stdout.write(f"written: {', '.join(changed)}\n" if changed else "everything was there\n")


if __name__ == "__main__":
    try:
        main()
    except StartError as error:
        sys.exit(f"error: {error}")

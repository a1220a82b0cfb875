"""`token USER`: a signed token for somebody, for the mode in which the edge asks for one."""

from typing import Annotated

import typer
from pydantic import SecretStr

from kit.runtime.datadir import DataDirectory
from kit.runtime.errors import StartError
from services.commands.settings import load_settings

DEFAULT_TENANT = "local"


def token(
    user: Annotated[str, typer.Argument(help="who the token is for")],
    tenant: Annotated[str, typer.Option(help="the organisation of this user")] = DEFAULT_TENANT,
    email: Annotated[str, typer.Option(help="where this user is told of runs; counts as verified")] = "",
    name: Annotated[str, typer.Option(help="how this user is addressed")] = "",
) -> None:
    """Print a signed token for USER (STUDIO_AUTH_MODE=token asks for one)."""
    settings = load_settings()
    if not settings.auth.secret.get_secret_value():
        kept = DataDirectory(settings.data_dir).kept_secret("auth")
        if kept is None:
            raise StartError("there is no secret to sign with; set STUDIO_AUTH_SECRET, or run `studio up` once")
        settings.auth.secret = SecretStr(kept)
    from kit.auth.address import BadAddressError
    from kit.auth.tokens import MissingSecretError, sign_token

    try:
        print(sign_token(settings.auth, tenant=tenant, user=user, email=email, name=name))
    except MissingSecretError as error:
        raise StartError(str(error)) from None
    except BadAddressError as error:
        raise StartError(f"--email or --name cannot be used: {error}") from None


command = token

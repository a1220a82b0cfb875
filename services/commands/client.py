"""What the client commands share: where the stack is, who we are, and the library's errors as lines."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kit.runtime.datadir import DataDirectory
from kit.runtime.errors import StartError
from kit.settings import Settings
from services.commands.settings import load_settings

if TYPE_CHECKING:
    from studio_client import Studio  # it costs the commands that ask nobody 0.2 s


@dataclass(frozen=True)
class Target:
    """A running edge, and the token that identifies us there."""

    url: str
    token: str | None

    def open(self) -> "Studio":
        """A client of this edge. Somebody waits at a terminal: one that does not answer at once is not waited for."""
        from studio_client import Patience, Studio

        return Studio(self.url, token=self.token, patience=Patience(first=0))


def find_target(url: str | None, token: str | None, settings: Settings | None = None) -> Target:
    """The URL given, or the stack that runs in our data directory, or the port of the settings."""
    if url is None:
        settings = settings or load_settings()
        running = DataDirectory(settings.data_dir).running()
        url = running.url if running is not None else f"http://127.0.0.1:{settings.edge.port}"
    return Target(url.rstrip("/"), token or None)


@contextlib.contextmanager
def errors_as_lines() -> Iterator[None]:
    """Raises StartError for the errors of the library, with what to do next."""
    from studio_client import LostError, StudioError, UnreachableError

    try:
        yield
    except UnreachableError as error:
        raise StartError(f"{error}; start it with `python3 studio up`, or give --url") from None
    except LostError as error:
        raise StartError(f"{error}, look again at /v1/runs/{error.run_id}") from None
    except StudioError as error:
        raise StartError(str(error)) from None

"""What the model server remembers of a call, and how the runner asks for it."""

import aiohttp
import msgspec

HASHING = "/hash"
"""Where the hashing model is, of which assistants ask."""


class Call(msgspec.Struct, omit_defaults=True):
    """One call of the model. Times are monotonic seconds of this machine."""

    number: int
    mode: str
    opened_at: float
    port: int = 0
    """The caller's end of the connection: it tells which worker it is."""
    start: int = 0
    """How many characters of the answer were there before."""
    repeated: int = 0
    said: int = 0
    finished: bool = False
    closed_at: float | None = None
    refused: str = ""


class Record:
    """Asks a model server for its calls."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url

    async def calls(self, marker: str) -> list[Call]:
        """Every call for one order, oldest first."""
        async with self._http.get(f"{self._url}/calls/{marker}") as response:
            return msgspec.json.decode(await response.read(), type=list[Call])

"""`dead list|show|retry|drop`: what was given up on the bus. See docs/runbook.md, Dead letters."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from kit.runtime.errors import StartError
from services.commands.settings import load_settings

if TYPE_CHECKING:
    from nats.aio.client import Client

    from kit.bus.dead import DeadLetter

CONNECT_SECONDS = 5.0
REASON_CHARACTERS = 80

app = typer.Typer(no_args_is_help=True, help="Look at messages that were given up, put them back, drop them.")

Subject = Annotated[str, typer.Option(help="only those with this subject, without `dead.`; * and > are allowed")]
Numbers = Annotated[list[int] | None, typer.Argument(help="which, by the number that `list` shows", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="every one, or every one with --subject")]


@app.command("list")
def list_all(subject: Subject = ">") -> None:
    """One line for each, oldest first: number, when, tries, subject, reason."""

    async def go(client: "Client") -> None:
        from kit.bus.dead import letters

        count = 0
        async for dead in letters(client, subject):
            count += 1
            print(f"{dead.sequence}\t{dead.at:%Y-%m-%d %H:%M:%S}\t{dead.deliveries}\t{dead.subject}\t{_short(dead)}")
        sys.stderr.write(f"{count} messages were given up\n")

    _on_the_bus(go)


@app.command()
def show(number: Annotated[int, typer.Argument(help="as `list` shows it")]) -> None:
    """One whole: its headers, and what it says."""

    async def go(client: "Client") -> None:
        dead = await _one(client, number)
        print(dead.subject, *(f"{name}: {value}" for name, value in dead.headers.items()), "", sep="\n")
        print(dead.data.decode(errors="replace"))

    _on_the_bus(go)


@app.command()
def retry(numbers: Numbers = None, *, every: All = False, subject: Subject = ">") -> None:
    """Put messages back where they were given up, to be handled again. Mend first what made them fail."""

    async def put_back(client: "Client", dead: "DeadLetter") -> None:
        from kit.bus import dead as letters

        await letters.put_back(client, dead)
        print(f"{dead.sequence} is on its way again: {dead.subject}")

    _each(numbers, every, subject, put_back)


@app.command()
def drop(numbers: Numbers = None, *, every: All = False, subject: Subject = ">") -> None:
    """Forget messages for good."""

    async def forget(client: "Client", dead: "DeadLetter") -> None:
        from kit.bus import dead as letters

        await letters.drop(client, dead.sequence)
        print(f"{dead.sequence} is gone: {dead.subject}")

    _each(numbers, every, subject, forget)


def _each(
    numbers: list[int] | None, every: bool, subject: str, does: Callable[["Client", "DeadLetter"], Awaitable[None]]
) -> None:
    """Do it with those that are named, or with all of a subject; who says neither has forgotten something."""
    if bool(numbers) == every or (numbers and subject != ">"):
        raise StartError("say either the numbers, or --all, with or without --subject")

    async def go(client: "Client") -> None:
        async for dead in _wanted(client, numbers, subject):
            await does(client, dead)

    _on_the_bus(go)


async def _wanted(client: "Client", numbers: list[int] | None, subject: str) -> AsyncIterator["DeadLetter"]:
    from kit.bus.dead import letters

    if not numbers:
        for dead in [each async for each in letters(client, subject)]:  # those that fail again meanwhile are not meant
            yield dead
        return
    for dead in [await _one(client, number) for number in numbers]:  # all of them are there, or nothing is done
        yield dead


async def _one(client: "Client", number: int) -> "DeadLetter":
    from kit.bus.dead import letter

    found = await letter(client, number)
    if found is None:
        raise StartError(f"there is no message {number}; `dead list` shows those that there are")
    return found


def _short(dead: "DeadLetter") -> str:
    line = " ".join(dead.reason.split())
    return line if len(line) <= REASON_CHARACTERS else f"{line[: REASON_CHARACTERS - 1]}…"


def _on_the_bus(does: Callable[["Client"], Awaitable[None]]) -> None:
    settings = load_settings()

    @asynccontextmanager
    async def connected() -> AsyncIterator["Client"]:
        from kit.bus.connection import Bus

        bus = Bus(settings.nats, "dead letters")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await bus.connect()
            yield bus.client
        finally:
            await bus.close()

    async def go() -> None:
        from kit.bus.api import JetStreamError

        try:
            async with connected() as client:
                await does(client)
        except JetStreamError as error:
            raise StartError(f"NATS refused: {error}") from None
        except (OSError, TimeoutError) as error:
            reason = str(error) or f"no answer within {CONNECT_SECONDS:g} s"
            raise StartError(f"{reason}; is NATS at {', '.join(settings.nats.url)}? (STUDIO_NATS_URL)") from None

    asyncio.run(go())

"""The golden files: every message as it was first written, and as it must stay readable.

One file per message and version, `<kind>/<name>.<version>.json`. When a message gains a field, add the next version and
keep the old one: `python -m tests.contracts.golden` writes those that are missing or changed.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts import events
from contracts.catalogue import COMMANDS, EVENTS, FACTS, PROBLEM
from contracts.exchanges import EXCHANGES, reply_type
from contracts.message import Reply

FOLDER = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Case:
    """One message: how it is written, and how it is read."""

    name: str
    message: Any
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]

    def versions(self) -> list[Path]:
        """Its golden files, oldest first."""
        return sorted(FOLDER.glob(f"{self.name}.*.json"), key=_version)

    def text(self) -> str:
        """What its next golden file says."""
        return json.dumps(json.loads(self.encode(self.message)), indent=2, ensure_ascii=False) + "\n"


def cases() -> Iterator[Case]:
    """Every message of the catalogue."""
    for event in EVENTS:
        yield Case(f"events/{events.type_of(event)}", event, events.encode, events.decode)
    for kind, messages in (("commands", COMMANDS), ("facts", FACTS)):
        for message in messages:
            yield _of_model(f"{kind}/{type(message).__name__}", message, type(message))
    for exchange in EXCHANGES:
        request = type(exchange.request)
        name = f"{request.SERVICE}.{request.VERB}"
        yield _of_model(f"requests/{name}", exchange.request, request)
        yield _of_model(f"replies/{name}", exchange.reply(), reply_type(request))
    yield _of_model("replies/problem", Reply[Any](problem=PROBLEM), Reply[Any])


def _of_model(name: str, message: Any, kind: Any) -> Case:
    return Case(
        name, message, lambda value: value.model_dump_json(exclude_none=True).encode(), kind.model_validate_json
    )


def _version(path: Path) -> int:
    return int(path.name.removesuffix(".json").rpartition(".")[2])


def main() -> None:
    """Write what is missing or has changed, as a new version."""
    for case in cases():
        versions = case.versions()
        if versions and versions[-1].read_text(encoding="utf-8") == case.text():
            continue
        number = _version(versions[-1]) + 1 if versions else 1
        path = FOLDER / f"{case.name}.{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(case.text(), encoding="utf-8")
        print(path.relative_to(FOLDER))


if __name__ == "__main__":
    main()

"""The system as data: one line per service. Read this first.

Adding a service is a folder, a line here and a compose block; tests hold them together (docs/architecture.md).
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from kit.runtime.service import Service
from kit.settings import Settings

Builder = Callable[[Settings], Service]


@dataclass(frozen=True)
class ServiceSpec:
    """One service: `builder` is `module:function`, imported only by the process that runs it."""

    name: str
    builder: str
    schema: str | None  # its own Postgres schema; none: it owns no data
    summary: str

    def load(self) -> Builder:
        """Import the builder. Raises ImportError or AttributeError when it does not exist."""
        module, _, function = self.builder.partition(":")
        return cast(Builder, getattr(importlib.import_module(module), function))


ROSTER = (
    ServiceSpec(
        "edge", "services.edge.service:build", None, "the only HTTP: who is calling, limits, SSE from the run log"
    ),
    ServiceSpec("chat", "services.chat.service:build", "chat", "conversations, messages and their runs"),
    ServiceSpec(
        "compare", "services.compare.service:build", "compare", "one question to several models, votes and their runs"
    ),
    ServiceSpec(
        "architect", "services.architect.service:build", "architect", "assistants made of prompt chains, and their runs"
    ),
    ServiceSpec(
        "notifier", "services.notifier.service:build", "notifier", "tells those who are away that their runs have ended"
    ),
    ServiceSpec("inference", "services.inference.service:build", None, "calls the models, writes tokens to the log"),
)


def find(name: str) -> ServiceSpec:
    """The service of that name. Raises KeyError."""
    for spec in ROSTER:
        if spec.name == name:
            return spec
    raise KeyError(name)


def migrations() -> tuple[tuple[str, Path], ...]:
    """Each schema and the folder with its migrations, in the order in which they are applied."""
    here = Path(__file__).parent
    return tuple((spec.schema, here / spec.name / "migrations") for spec in ROSTER if spec.schema is not None)

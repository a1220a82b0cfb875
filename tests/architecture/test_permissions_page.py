"""What each user of the bus may do is on its page, and is what its code does."""

import ast
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from contracts.message import Request
from services import permissions_docs
from services.permissions import permissions
from services.roster import ROSTER
from tests.architecture.source import Source, product, under


def test_the_page_about_permissions_is_up_to_date() -> None:
    assert permissions_docs.PATH.read_text(encoding="utf-8") == permissions_docs.page(), "run: task docs"


def test_no_service_may_make_a_consumer_or_a_stream() -> None:
    for user, allowed in permissions().items():
        makes = [subject for subject in allowed.publish if "CREATE" in subject or "UPDATE" in subject]
        assert bool(makes) == (user == "declare"), makes


def test_nobody_may_say_or_hear_everything() -> None:
    for user, allowed in permissions().items():
        for subject in (*allowed.publish, *allowed.subscribe):
            assert subject.split(".")[0] not in {">", "*"}, (user, subject)
            assert subject not in {"$JS.>", "$JS.API.>", "$SYS.>", "log.>", "_INBOX.>"}, (user, subject)


def _named(source: Source) -> Iterator[Any]:
    """What a module has imported, and what it names of modules that it has imported."""
    names = vars(import_module(source.module))
    yield from names.values()
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = names.get(node.value.id)
            if isinstance(module, ModuleType):
                yield getattr(module, node.attr, None)


def _asked_by(service: str) -> set[str]:
    """The requests to others that a service's code knows of."""
    return {
        kind.rpc_subject()
        for source in product()
        if under(source.module, f"services.{service}")
        for kind in _named(source)
        if isinstance(kind, type) and issubclass(kind, Request) and "VERB" in vars(kind) and service != kind.SERVICE
    }


def test_the_look_at_what_is_asked_sees_it() -> None:
    assert "rpc.chat.get_run" in _asked_by("notifier")


@pytest.mark.parametrize("service", [spec.name for spec in ROSTER if spec.name != "edge"])
def test_a_service_may_ask_whom_its_code_asks(service: str) -> None:
    """Else it works at home, and is refused on a bus that only keys open. The edge may ask everybody."""
    missing = _asked_by(service) - set(permissions()[service].publish)
    assert missing == set(), "grant it in services/permissions.py, then: task docs"

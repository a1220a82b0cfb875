"""Every message has an example, every field of a message is in it, and no fact has room for words."""

import pkgutil
import typing
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Literal

import msgspec
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import contracts
from contracts import catalogue, docs, events, subjects
from contracts.exchanges import EXCHANGES
from contracts.ids import Id, RunId
from contracts.message import Message, Owner, Request
from contracts.session import SessionBegunFact

for module in pkgutil.iter_modules(contracts.__path__):
    import_module(f"contracts.{module.name}")

CODES = {"model", "provider", "finish_reason", "error_code", "reason"}
"""Texts that a fact may carry: each is one of few words that we or the catalogue made."""

PERSONAL = {"email", "name"}
"""What is told of a user, and of nobody's prompts: only when a session begins."""


def subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    """All that can be sent: those with a subject or a verb of their own."""
    for sub in kind.__subclasses__():
        yield from subclasses(sub)
        if "[" not in sub.__name__ and {"SUBJECT", "VERB"} & vars(sub).keys():
            yield sub


def test_every_event_has_an_example() -> None:
    assert {type(event) for event in catalogue.EVENTS} == set(typing.get_args(events.Event))


def test_every_command_and_fact_has_an_example() -> None:
    shown = [type(message) for message in (*catalogue.COMMANDS, *catalogue.FACTS)]
    assert set(subclasses(Message)) - set(shown) == set(), "add an example to contracts/catalogue.py"
    assert len(shown) == len(set(shown))


def test_every_request_has_an_example() -> None:
    shown = [type(exchange.request) for exchange in EXCHANGES]
    assert set(subclasses(Request)) - set(shown) == set(), "add an example to EXCHANGES, contracts/exchanges.py"
    assert len(shown) == len(set(shown))
    assert all(isinstance(exchange.result, type(exchange.request).RESULT) for exchange in EXCHANGES)


def test_facts_are_facts_and_commands_are_commands() -> None:
    assert {subjects.stream_of(fact.subject()) for fact in catalogue.FACTS} == {"EVENTS"}
    assert {subjects.stream_of(command.subject()) for command in catalogue.COMMANDS} == {"WORK", "TIMERS"}


@pytest.mark.parametrize("event", catalogue.EVENTS, ids=events.type_of)
def test_an_event_shows_every_field_somewhere(event: events.Event) -> None:
    unset = {name for name in event.__struct_fields__ if getattr(event, name) is None}
    assert unset <= {"text", "text_ref", "reasoning", "reasoning_ref"}, "a text is carried or referred to, never both"
    assert not event.__struct_config__.forbid_unknown_fields


@pytest.mark.parametrize(
    "message",
    [*catalogue.COMMANDS, *catalogue.FACTS, *(part for exchange in EXCHANGES for part in exchange)],
    ids=lambda message: type(message).__name__,
)
def test_an_example_shows_every_field(message: BaseModel) -> None:
    unset = {name for name in type(message).model_fields if getattr(message, name) is None}
    assert unset <= {"messages_ref"}
    assert type(message).model_config.get("extra") == "ignore"


@pytest.mark.parametrize("fact", catalogue.FACTS, ids=lambda fact: type(fact).__name__)
def test_a_fact_has_no_room_for_words(fact: Message) -> None:
    known = CODES | (PERSONAL if isinstance(fact, SessionBegunFact) else set())
    roomy = [name for name, field in type(fact).model_fields.items() if name not in known and not _is_narrow(field)]
    assert not roomy, f"{roomy} could carry prompt or answer text"


def _is_narrow(field: FieldInfo) -> bool:
    """An id, one of some words, a number, an owner, or a model of such fields; None may be allowed too."""
    annotation = typing.Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return all(_narrow(part) for part in _parts(annotation))


def _parts(annotation: Any) -> Iterator[Any]:
    if isinstance(annotation, type(int | str)) or typing.get_origin(annotation) is typing.Union:
        yield from typing.get_args(annotation)
    else:
        yield annotation


def _narrow(kind: Any) -> bool:
    if kind in (Id, RunId, Owner, type(None)) or typing.get_origin(kind) is Literal:
        return True
    if not isinstance(kind, type):
        return False
    if issubclass(kind, BaseModel):
        return all(_is_narrow(field) for field in kind.model_fields.values())
    return not issubclass(kind, (str, bytes, dict, list, tuple, msgspec.Struct))


def test_the_page_names_every_subject() -> None:
    named = {name: value for name, value in vars(subjects).items() if name.isupper() and isinstance(value, str)}
    templates = {value for name, value in named.items() if not name.startswith("ALL_")}
    assert templates == set(subjects.SUBJECTS_ARE_FOR)
    assert {fact.SUBJECT for fact in catalogue.FACTS} <= templates
    assert subjects.STREAMS_ARE_FOR.keys() == subjects.STREAM_SUBJECTS.keys()


def test_the_page_about_the_bus_is_up_to_date() -> None:
    assert docs.PATH.read_text(encoding="utf-8") == docs.page(), "run: task docs"

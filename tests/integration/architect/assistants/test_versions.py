"""Assistants are made, changed and deleted; every definition they had is kept."""

import asyncio

import pytest

from contracts.architect_assistants import (
    CreateAssistant,
    DeleteAssistant,
    GetAssistant,
    ListVersions,
    UpdateAssistant,
)
from contracts.assistant import Definition, Step
from contracts.chat_values import Deleted
from kit.db.database import Database
from kit.ids import new_id
from kit.refusal import Refused
from services.architect.assistant_store import load_definition
from tests.integration.architect.assistants.world import DEFINITION, OWNER, World, another


async def test_what_is_made_can_be_seen_and_made_again(world: World) -> None:
    made = await world.create(description="Sums up.")
    assert (made.status, made.version, made.latest_version, made.mine) == ("draft", 1, 1, True)
    assert made.definition is not None
    assert [step.depends_on for step in made.definition.steps] == [(), ("draft",)], "made explicit"
    assert await world.ask(GetAssistant(owner=OWNER, assistant_id=made.id)) == made
    again = await world.create("Another name", assistant_id=made.id, definition=another("x"))
    assert again == made, "an id that the owner has is that one"
    assert len(await world.rows("SELECT * FROM architect.assistant")) == 1


async def test_the_same_twice_at_the_same_moment_is_one(world: World) -> None:
    await world.replica()
    command = CreateAssistant(owner=OWNER, assistant_id=new_id("asst"), name="One", definition=DEFINITION)
    results = await asyncio.gather(*(world.ask(command) for _ in range(8)))
    assert all(result == results[0] for result in results)
    assert len(await world.facts(command.assistant_id)) == 1


async def test_another_definition_is_a_new_version_and_the_same_is_not(world: World) -> None:
    made = await world.create()
    command = UpdateAssistant(
        owner=OWNER, assistant_id=made.id, definition=another("Hello"), note="Simpler.", expected_version=1
    )
    changed = await world.ask(command)
    assert (changed.version, changed.latest_version) == (2, 2)
    assert await world.ask(command) == changed, "the same again, though it expects the version before"
    assert await world.ask(command.model_copy(update={"definition": changed.definition})) == changed
    first = await world.ask(GetAssistant(owner=OWNER, assistant_id=made.id, version=1))
    assert (first.definition, first.version, first.latest_version) == (made.definition, 1, 2)
    history = await world.ask(ListVersions(owner=OWNER, assistant_id=made.id))
    assert [(each.version, each.steps, each.note) for each in history.items] == [(2, 1, "Simpler."), (1, 2, "")]
    for version in (0, 3, -1, 10**12):
        assert (
            await world.refused(GetAssistant(owner=OWNER, assistant_id=made.id, version=version)) == "unknown_version"
        )


async def test_who_has_not_seen_the_newest_version_overwrites_nothing(world: World) -> None:
    made = await world.create()
    commands = [
        UpdateAssistant(owner=OWNER, assistant_id=made.id, definition=another(text), expected_version=1)
        for text in ("one", "two", "three")
    ]
    results = await asyncio.gather(*map(world.ask, commands), return_exceptions=True)
    conflicts = [result.problem.code for result in results if isinstance(result, Refused)]
    assert conflicts == ["version_conflict"] * 2
    renamed = UpdateAssistant(owner=OWNER, assistant_id=made.id, name="New", expected_version=1)
    assert await world.refused(renamed) == "version_conflict"
    assert (await world.ask(renamed.model_copy(update={"expected_version": 2}))).name == "New"


async def test_names_and_texts_change_without_a_version(world: World) -> None:
    made = await world.create()
    changed = await world.ask(
        UpdateAssistant(owner=OWNER, assistant_id=made.id, name=" New ", description="Now.", status="published")
    )
    assert (changed.name, changed.description, changed.status, changed.version) == ("New", "Now.", "published", 1)
    assert changed.updated_at > made.updated_at
    assert changed.created_at == made.created_at


@pytest.mark.parametrize(
    ("definition", "code", "said"),
    [
        (Definition(steps=()), "invalid_assistant", "There is no step."),
        (Definition(steps=(Step(name="a", prompt="${b}", model="m"),)), "invalid_assistant", "'a'"),
        (Definition(steps=(Step(name="a", prompt="nul: \x00", model="m"),)), "invalid_text", "NUL"),
    ],
)
async def test_what_cannot_be_run_is_not_saved(world: World, definition: Definition, code: str, said: str) -> None:
    made = await world.create()
    for request in (
        CreateAssistant(owner=OWNER, assistant_id=new_id("asst"), name="x", definition=definition),
        UpdateAssistant(owner=OWNER, assistant_id=made.id, definition=definition),
    ):
        refusal = await world.refusal(request)
        assert refusal.problem.code == code
        assert said in refusal.problem.message
    assert (await world.ask(GetAssistant(owner=OWNER, assistant_id=made.id))).latest_version == 1


@pytest.mark.parametrize(
    ("values", "code"), [({"name": " "}, "invalid_assistant"), ({"description": "\x00"}, "invalid_text")]
)
async def test_names_that_are_none(world: World, values: dict[str, str], code: str) -> None:
    made = await world.create()
    assert await world.refused(UpdateAssistant(owner=OWNER, assistant_id=made.id, **values)) == code
    values = {"name": "x", **values}
    command = CreateAssistant(owner=OWNER, assistant_id=new_id("asst"), definition=DEFINITION, **values)
    assert await world.refused(command) == code


async def test_a_deleted_assistant_is_gone_with_its_history(world: World) -> None:
    made = await world.create()
    await world.ask(UpdateAssistant(owner=OWNER, assistant_id=made.id, definition=another("x")))
    command = DeleteAssistant(owner=OWNER, assistant_id=made.id)
    assert await world.ask(command) == Deleted()
    assert await world.refused(command) == "unknown_assistant"
    assert await world.refused(GetAssistant(owner=OWNER, assistant_id=made.id)) == "unknown_assistant"
    assert await world.rows("SELECT * FROM architect.version") == []
    made_again = await world.create(assistant_id=made.id)
    assert made_again.version == 1
    await world.ask(command)


async def test_what_a_run_needs_of_an_assistant(world: World) -> None:
    made = await world.create()
    database = Database(world.settings.database, "architect")
    row, version = await database.run(lambda session: load_definition(session, OWNER, made.id, None))
    assert (row.id, version.version, Definition.model_validate(version.definition)) == (made.id, 1, made.definition)
    with pytest.raises(Refused, match="no such version"):
        await database.run(lambda session: load_definition(session, OWNER, made.id, 2))
    await database.close()

"""Files with assistants: taken in as a whole or not at all, given out, and the library."""

import asyncio
from typing import Any

from contracts.architect_assistants import (
    CreateAssistant,
    DeleteAssistant,
    ExportAssistant,
    GetAssistant,
    ImportAssistants,
    ListAssistants,
    ListExamples,
)
from contracts.assistant import Definition, Step
from kit.ids import new_id
from tests.fixtures.predecessor import exported
from tests.integration.architect.assistants.world import COLLEAGUE, OWNER, World


def importing(document: dict[str, Any], **more: Any) -> ImportAssistants:
    return ImportAssistants(**{"owner": OWNER, "ids_from": "file-1", "document": document, **more})


async def test_the_predecessors_export_becomes_drafts(world: World) -> None:
    found = await world.ask(importing(exported("agent"), models={"claude-3-opus": "m-2"}))
    assert [(item.assistant.name, item.assistant.status, item.assistant.version) for item in found.items] == [
        ("Two of one", "draft", 1),
        ("Second", "draft", 1),
    ]
    definition = found.items[0].assistant.definition
    assert [(step.name, step.model, step.depends_on) for step in definition.steps] == [
        ("inputs_3", "m-2", ()),
        ("step_2", "m-1", ("inputs_3",)),
    ]
    assert any("'m-1' takes its place" in warning for warning in found.items[1].warnings)
    for item in found.items:
        assert await world.ask(GetAssistant(owner=OWNER, assistant_id=item.assistant.id)) == item.assistant


async def test_the_same_file_again_makes_no_second_assistant(world: World) -> None:
    await world.replica()
    command = importing(exported("agent"))
    several = await asyncio.gather(*(world.ask(command) for _ in range(4)))
    assert all(each == several[0] for each in several)
    assert len((await world.ask(ListAssistants(owner=OWNER))).items) == 2
    theirs = await world.ask(importing(exported("agent"), owner=COLLEAGUE))
    assert not {item.assistant.id for item in theirs.items} & {item.assistant.id for item in several[0].items}
    assert len(await world.facts(several[0].items[0].assistant.id)) == 1
    await world.ask(DeleteAssistant(owner=OWNER, assistant_id=several[0].items[0].assistant.id))
    again = await world.ask(command)
    assert [item.assistant.id for item in again.items] == [item.assistant.id for item in several[0].items]


async def test_one_bad_assistant_keeps_out_the_whole_file(world: World) -> None:
    document = exported("agent")
    document["assistants"][1]["prompts"][0]["content"] = " "
    refusal = await world.refusal(importing(document))
    assert refusal.problem.code == "not_importable"
    assert "assistants[1] (Second)" in refusal.problem.message
    assert await world.rows("SELECT * FROM architect.assistant") == []


async def test_what_is_too_much_or_cannot_be_stored(world: World) -> None:
    assert await world.refused(importing({})) == "not_importable"
    assert await world.refused(importing({**exported("agent"), "more": "a\x00b"})) == "invalid_text"
    for replica in world.replicas:
        await replica.stop()
    world.replicas.clear()
    await world.replica(max_import_bytes=500, max_imported=1)
    assert "limit is 500" in str(await world.refusal(importing(exported("agent"))))
    small = {"prompts": [{"name": "a", "content": "b", "model": "m-1"}], "name": "x"}
    assert "limit is 1." in str(await world.refusal(importing({"assistants": [small, small]})))
    assert (await world.ask(importing({"assistants": [small]}))).items[0].warnings == ()


async def test_a_long_file_passes(world: World) -> None:
    """Longer than a message of the bus, both ways."""
    text = "long " * 30_000
    document = {"name": "x", "prompts": [{"name": f"p{n}", "content": text, "model": "m-1"} for n in range(8)]}
    found = await world.ask(importing(document))
    assert [step.prompt for step in found.items[0].assistant.definition.steps] == [text] * 8


async def test_what_goes_out_comes_in_again_for_somebody_else(world: World) -> None:
    definition = Definition(steps=(Step(name="only", prompt="Hello ${inputs.x}", model="m-2", condition="x != ''"),))
    values = {**definition.model_dump(), "fields": [{"name": "x", "kind": "long_text", "required": False}]}
    made = await world.create("Out", description="And in.", definition=Definition.model_validate(values))
    document = (await world.ask(ExportAssistant(owner=OWNER, assistant_id=made.id))).document
    assert (document["format"], document["version"]) == ("ai-studio.assistants", 1)
    (item,) = (await world.ask(importing(document, owner=COLLEAGUE))).items
    assert (item.assistant.name, item.assistant.description, item.warnings) == ("Out", "And in.", ())
    assert item.assistant.definition == made.definition
    assert item.assistant.id != made.id


async def test_every_example_of_the_library_can_be_saved(world: World) -> None:
    examples = (await world.ask(ListExamples(owner=OWNER))).items
    assert len(examples) == 3
    for example in examples:
        command = CreateAssistant(
            owner=OWNER, assistant_id=new_id("asst"), name=example.title, definition=example.definition
        )
        assert (await world.ask(command)).definition == example.definition
